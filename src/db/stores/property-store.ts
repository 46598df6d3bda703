import { parentOf } from '../../storage/remote-path.js'
import type { DeadProperty, PropertyChange, PropertyStore, ResourceKey } from '../../vfs/ports.js'
import type { Run, SqliteConnection, SqlRow, SqlValue } from '../sqlite-connection.js'

const NONE: readonly DeadProperty[] = []

/**
 * Subtrees are ranges of the primary key and not patterns: what lies below `/a` sorts between `/a/` and `/a0` ('0' follows
 * '/'), whatever `%` and `_` the names hold.
 */
export class DatabasePropertyStore implements PropertyStore {
  constructor(
    private readonly reader: SqliteConnection,
    private readonly writer: SqliteConnection,
  ) {}

  async inFolder(folder: ResourceKey): Promise<ReadonlyMap<string, readonly DeadProperty[]>> {
    const rows = await this.reader.all(
      `SELECT path, xml_namespace, name, xml FROM dav_properties WHERE namespace = ?1 AND parent = ?2
       UNION ALL
       SELECT path, xml_namespace, name, xml FROM dav_properties WHERE namespace = ?1 AND path = ?2`,
      folder.namespace,
      folder.path,
    )
    const found = new Map<string, DeadProperty[]>()
    for (const row of rows) {
      const path = String(row['path'])
      const properties = found.get(path)
      if (properties) properties.push(propertyOf(row))
      else found.set(path, [propertyOf(row)])
    }
    return found
  }

  async of(key: ResourceKey): Promise<readonly DeadProperty[]> {
    const rows = await this.reader.all(
      'SELECT xml_namespace, name, xml FROM dav_properties WHERE namespace = ? AND path = ?',
      key.namespace,
      key.path,
    )
    return rows.length === 0 ? NONE : rows.map(propertyOf)
  }

  async anyWithin(key?: ResourceKey): Promise<boolean> {
    const rows = key
      ? await this.reader.all(`SELECT 1 FROM dav_properties WHERE ${IN_TREE} LIMIT 1`, ...treeValues(key))
      : await this.reader.all('SELECT 1 FROM dav_properties LIMIT 1')
    return rows.length > 0
  }

  async change(key: ResourceKey, changes: readonly PropertyChange[]): Promise<void> {
    await this.writer.transaction(async (run) => {
      for (const change of changes) {
        if ('set' in change) {
          const { namespace, name, xml } = change.set
          await run(
            `INSERT OR REPLACE INTO dav_properties (namespace, path, parent, xml_namespace, name, xml)
             VALUES (?, ?, ?, ?, ?, ?)`,
            ...[key.namespace, key.path, parentColumn(key.path), namespace, name, xml],
          )
        } else {
          await run(
            'DELETE FROM dav_properties WHERE namespace = ? AND path = ? AND xml_namespace = ? AND name = ?',
            ...[key.namespace, key.path, change.remove.namespace, change.remove.name],
          )
        }
      }
    })
  }

  async copy(from: ResourceKey, to: ResourceKey, deep: boolean): Promise<void> {
    await this.writer.transaction(async (run) => {
      await removeTree(run, to)
      await copyRows(run, from, to, deep)
    })
  }

  async move(from: ResourceKey, to: ResourceKey): Promise<void> {
    await this.writer.transaction(async (run) => {
      await removeTree(run, to)
      await copyRows(run, from, to, true)
      await removeTree(run, from)
    })
  }

  async remove(key: ResourceKey): Promise<void> {
    await this.writer.transaction((run) => removeTree(run, key))
  }
}

/** `?1` namespace, `?2` the path, `?3` and `?4` the bounds of what lies below it. */
const IN_TREE = 'namespace = ?1 AND (path = ?2 OR (path > ?3 AND path < ?4))'

function treeValues({ namespace, path }: ResourceKey): [string, string, string, string] {
  const prefix = path === '/' ? '' : path
  return [namespace, path, `${prefix}/`, `${prefix}0`]
}

async function removeTree(run: Run, key: ResourceKey): Promise<void> {
  await run(`DELETE FROM dav_properties WHERE ${IN_TREE}`, ...treeValues(key))
}

async function copyRows(run: Run, from: ResourceKey, to: ResourceKey, deep: boolean): Promise<void> {
  const fromPrefix = from.path === '/' ? '' : from.path
  const toPrefix = to.path === '/' ? '' : to.path
  const values: SqlValue[] = [
    ...treeValues(from),
    to.namespace,
    to.path,
    parentColumn(to.path),
    toPrefix,
    // substr() counts characters from 1.
    [...fromPrefix].length + 1,
  ]
  // Both conditions name every parameter of theirs: SQLite refuses values that no parameter takes.
  const rows = deep ? IN_TREE : 'namespace = ?1 AND path = ?2 AND ?3 < ?4'
  await run(
    `INSERT INTO dav_properties (namespace, path, parent, xml_namespace, name, xml)
     SELECT ?5,
            CASE WHEN path = ?2 THEN ?6 ELSE ?8 || substr(path, ?9) END,
            CASE WHEN path = ?2 THEN ?7 WHEN parent = ?2 THEN ?6 ELSE ?8 || substr(parent, ?9) END,
            xml_namespace, name, xml
     FROM dav_properties WHERE ${rows}`,
    ...values,
  )
}

/** `/` has no parent: it is no member of itself. */
function parentColumn(path: string): string {
  return path === '/' ? '' : parentOf(path)
}

function propertyOf(row: SqlRow): DeadProperty {
  return { namespace: String(row['xml_namespace']), name: String(row['name']), xml: String(row['xml']) }
}
