import type { Problem } from '../../../errors.js'

/**
 * What the gateway's own login or accounts with keys still need, told before a server has to be asked. Each problem stands
 * at the field where it is mended.
 * @param settings as they were written, right or wrong
 */
export function missingIn(
  settings: Readonly<Record<string, unknown>>,
  { has, keys }: { readonly has: ReadonlySet<string>; readonly keys: boolean },
): Problem[] {
  const problems: Problem[] = []
  const missing = (field: string, message: string) => problems.push({ field, message })
  if (settings.ssh !== undefined && !has.has('password') && !has.has('privateKey')) {
    missing('secrets.privateKey', 'or a password is needed for this SSH login')
  }
  if (settings.kind === 'sftpgo') {
    if (settings.username !== undefined && !has.has('password')) {
      missing('secrets.password', 'of the administrator is needed')
    }
    if (settings.username === undefined && !has.has('apiKey')) {
      missing('secrets.apiKey', 'is needed, or the name and password of an administrator')
    }
  }
  if (keys && settings.kind === 'system' && settings.authorizedKeys === undefined) {
    missing('settings.authorizedKeys', 'is needed where accounts log in with keys, such as /etc/ssh/authorized_keys')
  }
  if (keys && settings.kind === 'command' && !(Array.isArray(settings.secrets) && settings.secrets.includes('key'))) {
    missing('settings.secrets', 'must hold keys where accounts log in with them')
  }
  return problems
}
