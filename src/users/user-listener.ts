import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'

/** Told of changes in their own transaction: what it makes of them happens together with the change or not at all. */
export interface UserListener {
  disabled(userId: number, disabled: boolean, actor: Actor, transaction: Transaction): Promise<void>
  /** Before the user goes, with all permissions. */
  removed(userId: number, actor: Actor, transaction: Transaction): Promise<void>
}
