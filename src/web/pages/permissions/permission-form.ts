import type { Credentials, PermissionChanges } from '../../../permissions/permission-input.js'
import type { Permission } from '../../../permissions/permission-service.js'
import { formOf, type FormState } from '../../page/form.js'

type Texts = Readonly<Record<string, string | undefined>>

/** What the form says besides the credentials; empty fields go back to the default. */
export function permissionFieldsOf(texts: Texts): PermissionChanges {
  const { remoteUser = '', root = '', endsAt = '', home = '' } = texts
  return {
    remoteUser: remoteUser.trim() === '' ? null : remoteUser.trim(),
    access: texts.access as Permission['access'],
    root: root.trim() === '' ? null : root.trim(),
    endsAt: endsAt.trim() === '' ? null : endsAt.trim(),
    selfService: texts.selfService === 'on',
    managed: texts.managed === 'on',
    home: home.trim() === '' ? null : home.trim(),
  }
}

/** The credentials that were written; undefined when none were. */
export function credentialsIn({ password = '', privateKey = '', passphrase = '' }: Texts): Credentials | undefined {
  const given = {
    ...(password !== '' && { password }),
    ...(privateKey.trim() !== '' && { privateKey }),
    ...(passphrase !== '' && { passphrase }),
  }
  return Object.keys(given).length === 0 ? undefined : given
}

/** `credentials.password` is the field `password` of the form. */
export function atOwnFields(form: FormState): FormState {
  const problems = Object.entries(form.problems).map(([field, text]) => [field.replace(/^credentials\./, ''), text])
  return { ...form, problems: Object.fromEntries(problems) as Record<string, string> }
}

/** What is stored, as the form shows it. */
export function permissionFormOf(permission: Permission): FormState {
  const { remoteUser, remoteUserGiven, access, root, endsAt, selfService, managed, home } = permission
  return formOf({
    remoteUser: remoteUserGiven ? remoteUser : '',
    access,
    root,
    endsAt: endsAt && shownEnd(endsAt),
    selfService: selfService ? 'on' : '',
    managed: managed ? 'on' : '',
    home,
  })
}

/** A day that counts whole is shown as a day (UTC), every other end with its time. */
function shownEnd(at: Date): string {
  const text = at.toISOString()
  return text.endsWith('T23:59:59.999Z') ? text.slice(0, 10) : text
}
