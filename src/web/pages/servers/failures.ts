import type { Phase } from '../../../servers/probe-server.js'
import { StorageError } from '../../../storage/errors.js'

/** In words of ours: what a server says could be the banner of something that is no file server. */
const SENTENCES: Readonly<Record<string, string>> = {
  UNREACHABLE:
    'The address cannot be reached. Check host, port and firewall; addresses of this machine are refused unless configured.',
  TIMED_OUT: 'The server did not answer in time.',
  UNTRUSTED: 'The server is not the one that is trusted. No login was sent.',
  LOGIN_REJECTED: 'The server refused the login.',
  BUSY: 'The server takes no further connections.',
  CONNECTION_LOST: 'The server broke the connection off.',
  PROTOCOL: 'What answers there does not speak this protocol as expected.',
  DENIED: 'The login works, but its start folder may not be listed.',
  NOT_FOUND: 'The login works, but its start folder is not there.',
}

/** Why something with a server failed, for an admin. */
export function failureSentence(code: string | undefined): string {
  return SENTENCES[code ?? ''] ?? `It failed (${code ?? 'unknown reason'}).`
}

/** @throws the error itself when it is not about the server */
export function sentenceOf(error: unknown): string {
  if (error instanceof StorageError) return failureSentence(error.code)
  throw error
}

const PHASES: Readonly<Record<Phase['name'], string>> = {
  connect: 'Connect',
  trust: 'Check who it is',
  login: 'Log in',
  list: 'List the start folder',
}

/** A step of a test as the page shows it. */
export function shownPhase({ name, ok, took, code, detail }: Phase) {
  return { name: PHASES[name], ok, took: Math.round(took), detail: ok ? detail : failureSentence(code), code }
}
