import type { Reply } from './control-channel.js'
import type { Session } from './session.js'

/**
 * Makes `path` the current folder, or tells by the reply why not. pure-ftpd answers each refused CWD a tenth of a second
 * later than the one before and ends the session after some, until one succeeds: so the top folder is entered after a
 * refusal.
 */
export async function enter({ channel }: Session, path: string): Promise<Reply> {
  const reply = await channel.command(`CWD ${path}`)
  // 421: the session is over. Below 500 nothing is known about the path, and nothing was counted.
  if (reply.code >= 500 && path !== '/') await channel.command('CWD /')
  return reply
}
