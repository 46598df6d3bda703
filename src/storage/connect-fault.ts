import { StorageError } from './errors.js'

/** Why a connect failed, and what that says about whom. */
export interface ConnectFault {
  readonly error: StorageError
  /**
   * `secret`: the login was refused. `limit`: the server has enough connections. `server`: it cannot be reached, does not
   * answer as it should, or is not the one that is trusted. `login`: the server is fine, and this login fails on it, which
   * will not change at once. `account`: nothing is known of the server.
   */
  readonly blames: 'secret' | 'limit' | 'server' | 'login' | 'account'
}

export function connectFault(thrown: unknown): ConnectFault {
  const error =
    thrown instanceof StorageError
      ? thrown
      : new StorageError('PROTOCOL', 'The connection could not be set up.', { cause: thrown })
  return { error, blames: blamed(error) }
}

function blamed(error: StorageError): ConnectFault['blames'] {
  switch (error.code) {
    case 'LOGIN_REJECTED':
      return 'secret'
    case 'BUSY':
      return 'limit'
    case 'UNREACHABLE':
    case 'CONNECTION_LOST':
    case 'PROTOCOL':
      return error.reached ? 'login' : 'server'
    case 'TIMED_OUT':
    case 'UNTRUSTED':
      return 'server'
    default:
      return 'account'
  }
}
