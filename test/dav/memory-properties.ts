import { isWithin, parentOf } from '../../src/storage/remote-path.js'
import type { DeadProperty, PropertyChange, PropertyStore, ResourceKey } from '../../src/vfs/ports.js'

/** Dead properties as a database would keep them. */
export class MemoryPropertyStore implements PropertyStore {
  readonly #rows = new Map<string, readonly DeadProperty[]>()
  /** Questions asked, to count them. */
  questions = 0

  inFolder(folder: ResourceKey) {
    this.questions++
    const found = new Map<string, readonly DeadProperty[]>()
    for (const [key, properties] of this.#rows) {
      const path = pathIn(folder.namespace, key)
      if (path !== undefined && (path === folder.path || parentOf(path) === folder.path)) found.set(path, properties)
    }
    return Promise.resolve(found)
  }

  of(key: ResourceKey) {
    this.questions++
    return Promise.resolve(this.#rows.get(rowOf(key)) ?? [])
  }

  anyWithin(key?: ResourceKey) {
    return Promise.resolve(key === undefined ? this.#rows.size > 0 : this.#within(key).length > 0)
  }

  change(key: ResourceKey, changes: readonly PropertyChange[]) {
    const properties = new Map((this.#rows.get(rowOf(key)) ?? []).map((p) => [`${p.namespace} ${p.name}`, p]))
    for (const change of changes) {
      const { namespace, name } = 'set' in change ? change.set : change.remove
      if ('set' in change) properties.set(`${namespace} ${name}`, change.set)
      else properties.delete(`${namespace} ${name}`)
    }
    this.#rows.set(rowOf(key), [...properties.values()])
    return Promise.resolve()
  }

  async copy(from: ResourceKey, to: ResourceKey, deep: boolean) {
    const copied = this.#within(from).filter(([path]) => deep || path === from.path)
    await this.remove(to)
    for (const [path, properties] of copied) {
      this.#rows.set(rowOf({ ...to, path: to.path + path.slice(from.path.length) }), properties)
    }
  }

  async move(from: ResourceKey, to: ResourceKey) {
    await this.copy(from, to, true)
    await this.remove(from)
  }

  remove(key: ResourceKey) {
    for (const [path] of this.#within(key)) this.#rows.delete(rowOf({ ...key, path }))
    return Promise.resolve()
  }

  #within(key: ResourceKey): [string, readonly DeadProperty[]][] {
    const found: [string, readonly DeadProperty[]][] = []
    for (const [row, properties] of this.#rows) {
      const path = pathIn(key.namespace, row)
      if (path !== undefined && isWithin(key.path, path)) found.push([path, properties])
    }
    return found
  }
}

function rowOf({ namespace, path }: ResourceKey): string {
  return `${namespace}|${path}`
}

function pathIn(namespace: string, row: string): string | undefined {
  return row.startsWith(`${namespace}|`) ? row.slice(namespace.length + 1) : undefined
}
