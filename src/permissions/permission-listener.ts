import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { Permission } from './permission-service.js'

/** Told of every change in its own transaction: what it makes of it happens together with the change or not at all. */
export interface PermissionListener {
  granted(permission: Permission, actor: Actor, transaction: Transaction): Promise<void>
  updated(before: Permission, after: Permission, actor: Actor, transaction: Transaction): Promise<void>
  /** Before it goes. */
  revoked(permission: Permission, actor: Actor, transaction: Transaction): Promise<void>
}
