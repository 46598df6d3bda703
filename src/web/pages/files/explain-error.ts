import { answerFor, type Answer } from '../../../http/status.js'
import { StorageError } from '../../../storage/errors.js'
import { VfsError } from '../../../vfs/errors.js'

export interface Explanation extends Answer {
  readonly title: string
  /** What the user can do about it. */
  readonly hint: string
  /** Whether the same request may succeed in a moment. */
  readonly again: boolean
}

const DOWN = {
  title: 'This server does not answer',
  hint: 'Your other servers are not affected. Try again in a moment; if it stays so, tell your administrator.',
  again: true,
}
const HERE: Readonly<Record<string, Omit<Explanation, keyof Answer>>> = {
  UNREACHABLE: DOWN,
  TIMED_OUT: DOWN,
  CONNECTION_LOST: DOWN,
  UNAVAILABLE: DOWN,
  BUSY: { title: 'This server is busy', hint: 'All its connections are in use. Try again in a moment.', again: true },
  REMOTE_CREDENTIALS: {
    title: 'The server refused your login',
    hint: 'The login that is stored for you on this server is no longer right. Ask your administrator to renew it.',
    again: false,
  },
  UNTRUSTED: {
    title: 'The server could not prove who it is',
    hint: 'Nothing was sent to it. Your administrator has to look at its key before it can be used again.',
    again: false,
  },
  DENIED: {
    title: 'You may not open this',
    hint: 'The server does not let your login in here. Ask whoever owns the folder, or your administrator.',
    again: false,
  },
  NOT_FOUND: { title: 'Nothing is here any more', hint: 'It was moved, renamed or deleted.', again: false },
  NO_SUCH_PATH: {
    title: 'There is nothing here',
    hint: 'The server or the file does not exist, or is not yours to see.',
    again: false,
  },
  TOO_LARGE: {
    title: 'This folder is too large to show',
    hint: 'Use a drive or a client that lists it in parts.',
    again: false,
  },
}

/**
 * What a page says where a folder or file was to be shown; undefined for errors that have nothing to do with servers.
 * @param owner whose login is used, when it is not the visitor's
 */
export function explain(error: unknown, owner?: string): Explanation | undefined {
  if (!(error instanceof StorageError) && !(error instanceof VfsError)) return undefined
  const answer = answerFor(error)
  if (owner !== undefined && answer.code === 'REMOTE_CREDENTIALS') {
    const title = `The server refused the login of ${owner}`
    return { ...answer, message: '', title, hint: `Ask ${owner} to have it renewed.`, again: false }
  }
  const known = HERE[answer.code]
  return { ...answer, ...(known ?? { title: 'This cannot be shown', hint: '', again: answer.status >= 500 }) }
}
