/**
 * The contract of provisioners: how the accounts of one server are read and changed through the server's admin login.
 * Everything above speaks only this. A method that is absent is what this kind of server cannot do.
 *
 * Each call is one step that can be repeated: when what it should reach is there already, it succeeds and changes nothing.
 * Each takes a signal and an own deadline. Secrets travel on standard input or inside the encrypted session, never on a
 * command line. No method touches an account whose name `nameProblem` refuses, nor one that `read` calls reserved.
 *
 * Errors are `ProvisionError`s. The steps of a new account come in this order: `create`, then `makeHome`, which gives the
 * folder to the account; at the end `disable`, `archiveHome`, `remove`.
 */

export const PROVISIONER_KINDS = ['folder', 'system', 'proftpd-file', 'pure-ftpd', 'sftpgo', 'command'] as const
export type ProvisionerKind = (typeof PROVISIONER_KINDS)[number]

/** What the reader finds of one account. */
export interface ObservedAccount {
  readonly name: string
  /** `disabled`: no login works, files are kept. A kind without `disable` always tells `enabled`. */
  readonly state: 'enabled' | 'disabled'
  /** Absolute path on the server; undefined where the kind does not tell. */
  readonly home: string | undefined
  /** Whether that folder is there and belongs to the account; undefined where the kind cannot tell. */
  readonly homeReady: boolean | undefined
  /** What `create` was given as `mark`, where the kind can keep it beside the account. */
  readonly mark?: string | undefined
  /** Why nobody but the server's own admin may change it: reserved name, uid below 1000. */
  readonly reserved?: string | undefined
}

/** What the account logs in with. */
export type AccountSecret =
  | { readonly kind: 'password'; readonly password: string }
  /** One line of OpenSSH's authorized_keys; the private half stays in the gateway. */
  | { readonly kind: 'key'; readonly publicKey: string }

export interface NewAccount {
  readonly name: string
  /** Absolute path; undefined: where this kind puts homes. */
  readonly home: string | undefined
  readonly secret: AccountSecret
  /**
   * Kept on the server beside the account, where the kind can: it tells a step that is repeated from a foreign account of
   * the same name. Letters, digits and hyphens, at most 64.
   */
  readonly mark?: string | undefined
}

export interface ProvisionerCall {
  readonly signal?: AbortSignal | undefined
}

/** One open session with a server's admin login. */
export interface Provisioner {
  readonly kind: ProvisionerKind
  readonly secrets: readonly AccountSecret['kind'][]
  /** What is wrong with a name as an account here, in words for the admin; undefined: nothing. */
  nameProblem(name: string): string | undefined
  /** Where the home of a new account is put when nobody says. */
  defaultHome(name: string): string
  /** Every account that this kind can see, in one pass. */
  read(call: ProvisionerCall): Promise<ObservedAccount[]>
  /** Makes the home and gives it to the account, with mode 0700 where the kind can set it. */
  makeHome(name: string, home: string, call: ProvisionerCall): Promise<void>
  /**
   * Account and secret; the account is enabled afterwards. An account of that name with the same mark is what an earlier try
   * left: it gets home, secret and state.
   * @throws NAME_TAKEN when the name is taken by an account without that mark; it is left as it is
   */
  create?(account: NewAccount, call: ProvisionerCall): Promise<void>
  /**
   * The state stays: a disabled account is disabled afterwards. For keys: the new one is added beside the one in `keep`, all
   * other keys of FTPCluster go.
   * @throws NO_ACCOUNT
   */
  setSecret?(name: string, secret: AccountSecret, call: ProvisionerCall & { keep?: AccountSecret }): Promise<void>
  setHome?(name: string, home: string, call: ProvisionerCall): Promise<void>
  enable?(name: string, call: ProvisionerCall): Promise<void>
  disable?(name: string, call: ProvisionerCall): Promise<void>
  /**
   * Moves the home to `<home>.archived-<UTC date>`, readable for the admin only, with a number behind it when that is taken.
   * Returns the new path, or that of the last archive when the home is gone; undefined when there is neither.
   */
  archiveHome?(name: string, home: string, call: ProvisionerCall): Promise<string | undefined>
  /** Removes the account, never its files. */
  remove?(name: string, call: ProvisionerCall): Promise<void>
  close(): Promise<void>
}
