/**
 * What the tree wants remembered, as interfaces: `db/stores/` implements them on the database, `test/` in memory.
 * A `ResourceKey` names one file or folder on a server, whoever looks at it.
 */

export interface ResourceKey {
  /** `<server id>` for servers whose logins see one tree, `<server id>:<remote user>` where each has its own. */
  readonly namespace: string
  /** Canonical remote path. */
  readonly path: string
}

export type LockScope = 'exclusive' | 'shared'

/** A write lock, RFC 4918 section 6. */
export interface LockRecord extends ResourceKey {
  /** `opaquelocktoken:<uuid>` */
  readonly token: string
  readonly depth: '0' | 'infinity'
  readonly scope: LockScope
  readonly userId: number
  /** The `owner` element's content as the client sent it: well-formed XML, '' when there was none. */
  readonly ownerXml: string
  /** Milliseconds since the epoch, in the database's time. */
  readonly expiresAt: number
}

/** Locks survive a restart. The gateway is the only writer: `vfs/lock-table.ts` keeps a copy of what is stored. */
export interface LockStore {
  /** All locks that have not expired, and the database's time (ms since the epoch). Expired ones are deleted. */
  load(): Promise<{ locks: LockRecord[]; now: number }>
  insert(lock: LockRecord): Promise<void>
  refresh(token: string, expiresAt: number): Promise<void>
  delete(tokens: readonly string[]): Promise<void>
  /** Which of these users may not log in any more: disabled or not there. */
  former(userIds: readonly number[]): Promise<ReadonlySet<number>>
}

/** A dead property, RFC 4918 section 4. */
export interface DeadProperty {
  /** Namespace URI; '' for none. */
  readonly namespace: string
  readonly name: string
  /** The whole element as well-formed, self-contained XML (own namespace declarations, xml:lang). */
  readonly xml: string
}

export type PropertyChange =
  { readonly set: DeadProperty } | { readonly remove: { readonly namespace: string; readonly name: string } }

export interface PropertyStore {
  /** Properties of `folder` itself and of its direct members, by remote path. Paths without any are absent. */
  inFolder(folder: ResourceKey): Promise<ReadonlyMap<string, readonly DeadProperty[]>>
  /** Properties of one resource. */
  of(key: ResourceKey): Promise<readonly DeadProperty[]>
  /** Whether the resource or anything below it has one; without a key: whether any resource has. */
  anyWithin(key?: ResourceKey): Promise<boolean>
  /** All changes or none, in order. */
  change(key: ResourceKey, changes: readonly PropertyChange[]): Promise<void>
  /** Replaces what the target and everything below it had by a copy of the source's; `deep: false`: only itself. */
  copy(from: ResourceKey, to: ResourceKey, deep: boolean): Promise<void>
  /** `copy` deep, and the source has none afterwards. */
  move(from: ResourceKey, to: ResourceKey): Promise<void>
  /** Of the resource and everything below. */
  remove(key: ResourceKey): Promise<void>
}

/** An upload under way, so that its temporary file is found again after a crash. */
export interface UploadRecord {
  readonly id: number
  readonly permissionId: number
  readonly serverId: number
  /** Remote paths. `backup` is set while the swap of a server that cannot rename over an existing file is under way. */
  readonly temporary: string
  readonly target: string
  readonly backup: string | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

export interface UploadJournal {
  /** Durable when it resolves. */
  begin(upload: Omit<UploadRecord, 'id' | 'backup'>): Promise<number>
  /** The swap begins: the old file is about to be renamed to `backup`. Durable when it resolves. */
  swapping(id: number, backup: string): Promise<void>
  end(id: number): Promise<void>
  /** Uploads that no living process carries: `running` are the ids of this one. */
  leftovers(running: ReadonlySet<number>): Promise<UploadRecord[]>
}
