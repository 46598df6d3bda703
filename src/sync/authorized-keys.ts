import { ProvisionError } from './provision-error.js'
import type { AccountSecret, ProvisionerCall } from './provisioner.js'
import type { Tools } from './tools.js'
import { RemoteFile } from './remote-file.js'

/**
 * Public keys in a folder of root's, one file for each account, as `AuthorizedKeysFile <folder>/%u` reads them. Never in the
 * account's own home: there its owner could put a link where root writes.
 */
export class AuthorizedKeys {
  constructor(
    private readonly tools: Tools,
    private readonly folder: string,
  ) {}

  async set(name: string, secrets: readonly (AccountSecret | undefined)[], call: ProvisionerCall): Promise<void> {
    const lines = secrets.flatMap((secret) => (secret?.kind === 'key' ? [`${oneKey(secret.publicKey)}\n`] : []))
    // sshd reads it with the account's rights: the keys are public.
    await new RemoteFile(this.tools, `${this.folder}/${name}`).replace(lines.join(''), '0644', call)
  }

  async remove(name: string, call: ProvisionerCall): Promise<void> {
    await this.tools.must(['rm', '-f', '--', `${this.folder}/${name}`], call)
  }
}

/** Kind, base64 and perhaps a comment: no options, which could give a command, and no second line. */
export function oneKey(line: string): string {
  const key = line.trim()
  if (!/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( [^\p{Cc}]*)?$/u.test(key)) {
    throw new ProvisionError('REFUSED', 'This is not one public key in the form of OpenSSH.')
  }
  return key
}
