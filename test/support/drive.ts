import type { Lab } from '../lab/lab.js'
import type { Cluster } from './gateway.js'

export const USER = 'user1'
/** A colon, and `+` and `/` in its base64: all three have broken logins. No blank, for the sake of .netrc. */
export const PASSWORD = 'ge:ÿ~>>?>~heim'

/** One user whose drive has a folder for every daemon of the lab, named by its kind, with the login of `account`. */
export function driveOver(lab: Lab, account: 'alice' | 'bob' = 'alice'): Cluster {
  return {
    servers: lab.daemons.map(({ kind, endpoint }) => ({ alias: kind, endpoint })),
    users: [{ username: USER, password: PASSWORD }],
    permissions: lab.daemons.map((daemon) => {
      const { username, password } = daemon.account(account)
      return { user: USER, server: daemon.kind, login: { username, password } }
    }),
  }
}
