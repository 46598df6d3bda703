import type { Actor } from '../audit/actor.js'
import type { HashedPassword } from '../auth/password-hasher.js'
import { ValidationError } from '../errors.js'
import type { Transaction } from '../db/database.js'
import { judgePassword } from '../users/password-rules.js'
import type { Services } from './services.js'
import type { Cluster } from './cluster-file.js'

/** One thing that was made or changed, e.g. `{ made: false, what: 'user user1', fields: ['password'] }`. */
export interface AppliedChange {
  readonly made: boolean
  readonly what: string
  /** Names of what changed; empty for something new. */
  readonly fields: readonly string[]
}

/** Ends a transaction that is not to be kept. */
class RollBack extends Error {}

/**
 * Makes the database match `cluster`; what the cluster does not mention stays. One transaction: all of it or nothing.
 * @param options.dryRun do all of it and keep nothing
 * @returns what changed; empty when everything was so already
 * @throws ValidationError, ConflictError
 */
export async function applyCluster(
  services: Services,
  cluster: Cluster,
  actor: Actor,
  { dryRun = false } = {},
): Promise<AppliedChange[]> {
  const hashes = await newHashes(services, cluster)
  const changes: AppliedChange[] = []
  try {
    await services.database.change(async (transaction) => {
      await applyServers(services, cluster, actor, transaction, changes)
      await applyUsers(services, cluster, actor, transaction, changes, hashes)
      await applyPermissions(services, cluster, actor, transaction, changes)
      if (dryRun || changes.length === 0) throw new RollBack()
    })
  } catch (error) {
    if (!(error instanceof RollBack)) throw error
  }
  return changes
}

/** Passwords that are not yet the users', hashed before the transaction: it must not hold the database for seconds. */
async function newHashes({ users, hasher }: Services, cluster: Cluster): Promise<Map<string, HashedPassword>> {
  const hashes = new Map<string, HashedPassword>()
  for (const [index, { username, password, passwordHash }] of cluster.users.entries()) {
    const stored = await users.credentials(username)
    if (passwordHash !== undefined) {
      if (passwordHash !== stored?.passwordHash) hashes.set(username, { hash: passwordHash })
    } else if (password !== undefined) {
      const same = stored !== undefined && (await hasher.matches(password, stored.passwordHash))
      if (same) continue
      await judgePassword(password, username, `users[${index}].password`)
      hashes.set(username, await hasher.hash(password))
    }
  }
  return hashes
}

async function applyServers(
  { servers, provisioners }: Services,
  cluster: Cluster,
  actor: Actor,
  transaction: Transaction,
  changes: AppliedChange[],
): Promise<void> {
  for (const [index, { enabled, provisioner, ...fields }] of cluster.servers.entries()) {
    await at(`servers[${index}]`, async () => {
      const known = await servers.find(fields.alias, transaction)
      const what = `server ${fields.alias}`
      if (!known) {
        const server = await servers.create(fields, actor, transaction)
        if (enabled === false) await servers.setEnabled(server.id, false, actor, transaction)
        if (provisioner) await provisioners.set(server.id, provisioner, actor, transaction)
        changes.push({ made: true, what, fields: [] })
        return
      }
      const { changed } = await servers.update(known.id, fields, actor, transaction)
      if (enabled !== undefined && enabled !== known.enabled) {
        await servers.setEnabled(known.id, enabled, actor, transaction)
        changed.push('enabled')
      }
      if (provisioner) {
        const set = await provisioners.set(known.id, provisioner, actor, transaction)
        changed.push(...set.changed.map((field) => `provisioner.${field}`))
      }
      if (changed.length > 0) changes.push({ made: false, what, fields: changed })
    })
  }
}

async function applyUsers(
  { users }: Services,
  cluster: Cluster,
  actor: Actor,
  transaction: Transaction,
  changes: AppliedChange[],
  hashes: ReadonlyMap<string, HashedPassword>,
): Promise<void> {
  for (const [index, { username, admin, disabled }] of cluster.users.entries()) {
    await at(`users[${index}]`, async () => {
      const known = await users.find(username, transaction)
      const hash = hashes.get(username)
      const role = admin === undefined ? (known?.role ?? 'user') : admin ? 'admin' : 'user'
      const fields: string[] = []
      if (!known) {
        if (!hash) throw new ValidationError([{ field: 'password', message: 'is required for a new user' }])
        const user = await users.create({ username, password: hash, role }, actor, transaction)
        if (disabled) await users.setDisabled(user.id, true, actor, transaction)
        changes.push({ made: true, what: `user ${username}`, fields })
        return
      }
      if (hash) {
        await users.setPassword(known.id, hash, actor, {}, transaction)
        fields.push('password')
      }
      if (role !== known.role) {
        await users.setRole(known.id, role, actor, transaction)
        fields.push('admin')
      }
      if (disabled !== undefined && disabled !== known.disabled) {
        await users.setDisabled(known.id, disabled, actor, transaction)
        fields.push('disabled')
      }
      if (fields.length > 0) changes.push({ made: false, what: `user ${username}`, fields })
    })
  }
}

async function applyPermissions(
  { users, servers, permissions }: Services,
  cluster: Cluster,
  actor: Actor,
  transaction: Transaction,
  changes: AppliedChange[],
): Promise<void> {
  for (const [index, { user: username, server: alias, credentials, ...fields }] of cluster.permissions.entries()) {
    await at(`permissions[${index}]`, async () => {
      const user = await users.find(username, transaction)
      const server = await servers.find(alias, transaction)
      if (!user) throw new ValidationError([{ field: 'user', message: `there is no user ${username}` }])
      if (!server) throw new ValidationError([{ field: 'server', message: `there is no server ${alias}` }])
      const what = `permission ${user.username} on ${server.alias}`
      const known = await permissions.find(user.id, server.id, transaction)
      if (!known) {
        const input = { ...fields, userId: user.id, serverId: server.id, credentials }
        await permissions.grant(input, actor, transaction)
        changes.push({ made: true, what, fields: [] })
        return
      }
      const { changed } = await permissions.update(known.id, fields, actor, transaction)
      const names: string[] = [...changed]
      const given = Object.keys(credentials)
      if (given.length > 0 && !(await permissions.hasCredentials(known.id, credentials, transaction))) {
        await permissions.setCredentials(known.id, credentials, actor, transaction)
        names.push(...given)
      }
      if (names.length > 0) changes.push({ made: false, what, fields: names })
    })
  }
}

/** Puts the place in the file in front of the fields that a service names. */
async function at(place: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new ValidationError(error.problems.map(({ field, message }) => ({ field: `${place}.${field}`, message })))
  }
}
