import { ValidationError, type Problem } from '../../../errors.js'
import type { NewServer, ServerChanges, TrustInput } from '../../../servers/server-input.js'
import type { Server } from '../../../servers/server.js'
import type { FormState } from '../../page/form.js'
import { formOf } from '../../page/form.js'

type Texts = Readonly<Record<string, string | undefined>>

/** A new server as the form says it; what is wrong with the values themselves is for the service to say. */
export function newServerOf(texts: Texts): NewServer {
  refusePlainFtp(texts)
  return { ...fieldsOf(texts), ...(texts.protocol === 'ftp' ? {} : { trust: trustOf(texts) }) }
}

/** What the form changes of `server`. Trust has a page of its own, but for a protocol that needs another kind. */
export function serverChangesOf(texts: Texts, server: Server): ServerChanges {
  if (server.protocol !== 'ftp') refusePlainFtp(texts)
  const fields = fieldsOf(texts)
  const { adminPassword, ...others } = fields
  const keepPassword = adminPassword === null && texts.forgetPassword !== 'on'
  const changes: ServerChanges = keepPassword ? others : fields
  const needsTrust = server.trust.kind === 'none' && texts.protocol !== 'ftp'
  const wrongTrust = texts.protocol === 'sftp' && server.trust.kind === 'public-ca'
  // Nobody is trusted by the new protocol before an admin has seen the fingerprint.
  return needsTrust || wrongTrust ? { ...changes, trust: { firstUse: true } } : changes
}

function fieldsOf(texts: Texts) {
  const { alias = '', host = '', port = '', adminUser = '', adminPassword = '' } = texts
  return {
    alias: alias.trim(),
    protocol: texts.protocol as Server['protocol'],
    host: host.trim(),
    ...(port.trim() === '' ? {} : { port: numberOf(port) }),
    adminUser: adminUser.trim() === '' ? null : adminUser.trim(),
    adminPassword: adminPassword === '' ? null : adminPassword,
    limits: {
      maxConnections: limitOf(texts['limits.maxConnections']),
      maxConnectionsPerAccount: limitOf(texts['limits.maxConnectionsPerAccount']),
    },
    encoding: (texts.encoding ?? 'utf8') as Server['encoding'],
    homes: (texts.homes ?? 'auto') as Server['homes'],
    upload: (texts.upload ?? 'auto') as Server['upload'],
  }
}

function trustOf({ trust, fingerprint = '' }: Texts): TrustInput {
  if (trust === 'public-ca') return { publicCa: true }
  if (trust !== 'fingerprint') return { firstUse: true }
  const all = fingerprint.split(/[\n,]/).map((line) => line.trim())
  return { fingerprint: all.filter((line) => line !== '') }
}

function refusePlainFtp({ protocol, plainText }: Texts): void {
  if (protocol !== 'ftp' || plainText === 'on') return
  throw new ValidationError([{ field: 'plainText', message: 'Tick this to use plain ftp all the same.' }])
}

function limitOf(text = ''): number | null {
  return text.trim() === '' ? null : numberOf(text)
}

/** NaN for what is no number: the service says so. */
function numberOf(text: string): number {
  return /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : NaN
}

/** What is stored, as the form shows it. */
export function serverFormOf(server: Server): FormState {
  const { alias, protocol, host, port, adminUser, limits, encoding, homes, upload } = server
  return formOf({
    alias,
    protocol,
    host,
    port,
    adminUser,
    encoding,
    homes,
    upload,
    'limits.maxConnections': limits.maxConnections,
    'limits.maxConnectionsPerAccount': limits.maxConnectionsPerAccount,
    plainText: protocol === 'ftp' ? 'on' : '',
  })
}

/** Problems of trust are shown at the field where the fingerprint is written. */
export function atTrustField(form: FormState): FormState {
  const moved = Object.entries(form.problems).map(([field, message]): [string, Problem['message']] => [
    field.startsWith('trust') ? 'fingerprint' : field,
    message,
  ])
  return { ...form, problems: Object.fromEntries(moved) }
}
