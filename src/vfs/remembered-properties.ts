import { LRUCache } from 'lru-cache'
import type { DeadProperty, PropertyChange, PropertyStore, ResourceKey } from './ports.js'

/** Of folders, and of resources. */
const REMEMBERED = 10_000
/** Characters of XML, likewise. */
const REMEMBERED_XML = 8 * 1024 * 1024

type InFolder = Awaited<ReturnType<PropertyStore['inFolder']>>

/**
 * Answers from memory what was asked before: most folders have no stored properties, and every listing asks for them. The
 * gateway is the only writer, and every change through it forgets everything; changes are rare. Files that go and come
 * change nothing where nothing is stored, and cost no transaction then.
 */
export class RememberedProperties implements PropertyStore {
  readonly #folders = memoryOf<InFolder>((folder) => sizeOf([...folder.values()].flat()))
  readonly #resources = memoryOf<readonly DeadProperty[]>(sizeOf)
  /** Counts changes begun and ended: what was read while one was under way is not kept. */
  #changes = 0
  #changing = 0
  /** Whether anything is stored anywhere; undefined: nobody has looked yet. */
  #any: boolean | undefined

  constructor(private readonly store: PropertyStore) {}

  async inFolder(folder: ResourceKey): Promise<InFolder> {
    return this.#ask(this.#folders, folder, () => this.store.inFolder(folder))
  }

  async of(key: ResourceKey): Promise<readonly DeadProperty[]> {
    return this.#ask(this.#resources, key, () => this.store.of(key))
  }

  async anyWithin(key?: ResourceKey): Promise<boolean> {
    if (this.#any === undefined) {
      const found = await this.store.anyWithin()
      this.#any ??= found
    }
    return this.#any && (key === undefined || this.store.anyWithin(key))
  }

  change(key: ResourceKey, changes: readonly PropertyChange[]): Promise<void> {
    this.#any = true
    return this.#change(() => this.store.change(key, changes))
  }

  async copy(from: ResourceKey, to: ResourceKey, deep: boolean): Promise<void> {
    if (await this.#anyOf(from, to)) await this.#change(() => this.store.copy(from, to, deep))
  }

  async move(from: ResourceKey, to: ResourceKey): Promise<void> {
    if (await this.#anyOf(from, to)) await this.#change(() => this.store.move(from, to))
  }

  async remove(key: ResourceKey): Promise<void> {
    if (await this.anyWithin(key)) await this.#change(() => this.store.remove(key))
  }

  async #anyOf(...keys: readonly ResourceKey[]): Promise<boolean> {
    for (const key of keys) if (await this.anyWithin(key)) return true
    return false
  }

  async #ask<T extends object>(memory: LRUCache<string, T>, key: ResourceKey, read: () => Promise<T>): Promise<T> {
    const id = `${key.namespace}\n${key.path}`
    const known = memory.get(id)
    if (known !== undefined) return known
    const before = this.#changes
    const found = await read()
    if (this.#changes === before && this.#changing === 0) memory.set(id, found)
    return found
  }

  async #change(work: () => Promise<void>): Promise<void> {
    this.#changing++
    this.#forget()
    try {
      await work()
    } finally {
      this.#changing--
      this.#forget()
    }
  }

  #forget(): void {
    this.#changes++
    this.#folders.clear()
    this.#resources.clear()
  }
}

function memoryOf<T extends object>(sizeCalculation: (value: T) => number): LRUCache<string, T> {
  return new LRUCache({ max: REMEMBERED, maxSize: REMEMBERED_XML, sizeCalculation })
}

function sizeOf(properties: readonly DeadProperty[]): number {
  return properties.reduce((sum, { xml }) => sum + xml.length, 1)
}
