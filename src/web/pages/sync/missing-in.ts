import type { Problem } from '../../../errors.js'
import { keyProblems } from '../../../sync/provisioner-settings.js'

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
  if (keys) problems.push(...keyProblems(settings))
  return problems
}
