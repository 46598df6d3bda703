import { ProvisionError } from '../../src/sync/provision-error.js'
import type { AccountSecret, ObservedAccount, Provisioner } from '../../src/sync/provisioner.js'
import type { Connection, Driver, Login } from '../../src/storage/driver.js'
import type { Drivers } from '../../src/storage/drivers.js'
import { StorageError } from '../../src/storage/errors.js'
import { publicKeyOf } from '../../src/storage/sftp/key-pair.js'

export interface MemoryAccount {
  state: 'enabled' | 'disabled'
  home: string
  secret: string
  /** Lets in beside it. */
  kept?: string | undefined
  mark?: string | undefined
  reserved?: string
}

/** A server whose accounts are kept in memory, and the log of what was done to them. */
export class MemoryAccounts {
  readonly accounts = new Map<string, MemoryAccount>()
  readonly homes = new Set<string>()
  readonly log: string[] = []
  readonly logins: string[] = []
  /** Thrown by the next calls: what says the call's name. */
  fault: ((call: string) => Error | undefined) | undefined

  add(name: string, account: Partial<MemoryAccount> = {}): void {
    const home = account.home ?? `/home/${name}`
    this.accounts.set(name, { state: 'enabled', secret: 'theirs', ...account, home })
    this.homes.add(home)
  }

  readonly open = (): Promise<Provisioner> => {
    const failure = this.fault?.('open')
    return failure ? Promise.reject(failure) : Promise.resolve(this.#provisioner())
  }

  /** Logs in as the accounts may. */
  readonly drivers: Drivers = {
    dial: () => Promise.reject(new Error('nothing is dialled here')),
    driverFor: () => this.#driver(),
  }

  async #call(call: string, name: string, work: () => void): Promise<void> {
    await Promise.resolve()
    const failure = this.fault?.(call)
    if (failure) throw failure
    this.log.push(`${call} ${name}`)
    work()
  }

  #of(name: string): MemoryAccount {
    const account = this.accounts.get(name)
    if (!account) throw new ProvisionError('NO_ACCOUNT', `There is no account ${name}.`)
    return account
  }

  #provisioner(): Provisioner {
    return {
      kind: 'system',
      secrets: ['password', 'key'],
      nameProblem: (name) => (/^[a-z][a-z0-9-]*$/.test(name) && name !== 'root' ? undefined : 'cannot be a name here'),
      defaultHome: (name) => `/home/${name}`,
      read: async () => {
        await Promise.resolve()
        const failure = this.fault?.('read')
        if (failure) throw failure
        return [...this.accounts].map(([name, account]) => this.#observed(name, account))
      },
      makeHome: (name, home) => this.#call('make-home', name, () => this.homes.add(home)),
      create: ({ name, home = `/home/${name}`, secret, mark }) =>
        this.#call('create', name, () => {
          const known = this.accounts.get(name)
          if (known && known.mark !== mark) throw new ProvisionError('NAME_TAKEN', `${name} is taken.`)
          this.accounts.set(name, { state: 'enabled', home, secret: textOf(secret), mark })
        }),
      setSecret: (name, secret, { keep }) =>
        this.#call('set-secret', name, () => {
          Object.assign(this.#of(name), { secret: textOf(secret), kept: keep && textOf(keep) })
        }),
      setHome: (name, home) =>
        this.#call('set-home', name, () => {
          this.#of(name).home = home
        }),
      enable: (name) => this.#call('enable', name, () => (this.#of(name).state = 'enabled')),
      disable: (name) => this.#call('disable', name, () => (this.#of(name).state = 'disabled')),
      archiveHome: async (name, home) => {
        await this.#call('archive-home', name, () => this.homes.delete(home))
        return `${home}.archived-2026-01-01`
      },
      remove: (name) => this.#call('remove', name, () => this.accounts.delete(name)),
      close: () => Promise.resolve(),
    }
  }

  #observed(name: string, { state, home, mark, reserved }: MemoryAccount): ObservedAccount {
    return {
      ...{ name, state, home, mark, homeReady: this.homes.has(home) },
      ...(reserved !== undefined && { reserved }),
    }
  }

  #driver(): Driver {
    return {
      fingerprint: () => Promise.resolve(undefined),
      connect: (_endpoint, login: Login) => {
        const account = this.accounts.get(login.username)
        const shown = login.password ?? publicKeyOf(login.privateKey ?? '')
        const ok = account?.state === 'enabled' && [account.secret, account.kept].includes(shown ?? 'none')
        this.logins.push(`${login.username} ${ok ? 'in' : 'rejected'}`)
        if (!ok) return Promise.reject(new StorageError('LOGIN_REJECTED', 'Login incorrect.'))
        return Promise.resolve({ close: () => undefined } as unknown as Connection)
      },
    }
  }
}

function textOf(secret: AccountSecret): string {
  return secret.kind === 'password' ? secret.password : secret.publicKey
}
