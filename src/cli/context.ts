import { existsSync } from 'node:fs'
import type { Config } from '../config/config.js'
import { databaseFileOf } from '../db/database-file.js'
import { UnknownObjectError } from '../errors.js'
import type { Permission } from '../permissions/permission-service.js'
import type { Server } from '../servers/server.js'
import type { User } from '../users/user-service.js'
import type { Drivers } from '../storage/drivers.js'
import { withScratchServices, withServices, type Services } from './services.js'
import type { Terminal } from './terminal.js'

/** What every command gets. The configuration is read when a command needs it: `--help` works without one. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly config: () => Config
  /** Loaded when a command speaks to a server: the others start faster without. */
  readonly drivers: () => Promise<Drivers>
  /** Opens the database, runs `work`, closes it. */
  readonly withServices: <T>(work: (services: Services) => Promise<T>) => Promise<T>
  /** The same for a command that keeps nothing: makes no database where there is none yet. */
  readonly withServicesToLook: <T>(work: (services: Services) => Promise<T>) => Promise<T>
}

export function createCommandContext(terminal: Terminal, loadConfig: () => Config): CommandContext {
  const open: CommandContext['withServices'] = (work) =>
    withServices(loadConfig(), (message) => terminal.err(message), work)
  return {
    terminal,
    config: loadConfig,
    drivers: async () => (await import('../storage/drivers.js')).createDrivers(loadConfig()),
    withServices: open,
    withServicesToLook: (work) => {
      const { databaseUrl, dataDir } = loadConfig()
      return existsSync(databaseFileOf(databaseUrl, dataDir)) ? open(work) : withScratchServices(work)
    },
  }
}

/** @throws UnknownObjectError */
export async function userNamed({ users }: Services, username: string): Promise<User> {
  const user = await users.find(username)
  if (!user) throw new UnknownObjectError(`There is no user ${username}; "ftpcluster user list" shows all.`)
  return user
}

/** @throws UnknownObjectError */
export async function serverNamed({ servers }: Services, alias: string): Promise<Server> {
  const server = await servers.find(alias)
  if (!server) throw new UnknownObjectError(`There is no server ${alias}; "ftpcluster server list" shows all.`)
  return server
}

/** @throws UnknownObjectError */
export async function permissionOf(services: Services, username: string, alias: string): Promise<Permission> {
  const user = await userNamed(services, username)
  const server = await serverNamed(services, alias)
  const permission = await services.permissions.find(user.id, server.id)
  if (!permission) throw new UnknownObjectError(`${username} has no permission on ${server.alias}.`)
  return permission
}
