import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Database } from '../db/database.js'

/** Milliseconds that a claim holds without a sign of life: longer than any single step. */
const HOLDS = 180_000

/** One process at a time works on a server: the gateway, or a command beside it. */
export class Claims {
  readonly #me = `${hostname()}|${process.pid}|${randomUUID()}`

  constructor(private readonly database: Database) {}

  /**
   * Takes the server, or holds it for longer.
   * @returns what locks there are signed with, the same for whoever has the claim; undefined while somebody else has it
   */
  async take(serverId: number): Promise<string | undefined> {
    return this.database.transaction(async (transaction) => {
      const row = await this.database.models.Provisioner.findByPk(serverId, { transaction })
      if (!row) return undefined
      const other = row.claimedBy !== null && row.claimedBy !== this.#me
      const held = (row.claimedUntil?.getTime() ?? 0) > Date.now()
      if (other && held && !isDead(row.claimedBy ?? '')) return undefined
      await row.update({ claimedBy: this.#me, claimedUntil: new Date(Date.now() + HOLDS) }, { transaction })
      // Another gateway has servers of the same number, and did not begin in the same millisecond.
      return `${serverId}-${row.createdAt.getTime().toString(36)}`
    })
  }

  async release(serverId: number): Promise<void> {
    const where = { serverId, claimedBy: this.#me }
    await this.database.transaction((transaction) =>
      this.database.models.Provisioner.update({ claimedBy: null, claimedUntil: null }, { where, transaction }),
    )
  }
}

/** Whether the owner was a process of this machine that has ended, e.g. by a crash. */
function isDead(owner: string): boolean {
  const [host, pid] = owner.split('|')
  if (host !== hostname()) return false
  // Not this one, or it would not be somebody else's: the number was given again.
  if (Number(pid) === process.pid) return true
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
