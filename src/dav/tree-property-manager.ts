import type { v2 as webdav } from 'webdav-server'
import type { DeadProperty, PropertyChange } from '../vfs/ports.js'
import type { Guard, Tree } from '../vfs/tree.js'
import { readXml, textOf } from './xml-reader.js'
import { escapeAttribute, escapeXml } from './xml-writer.js'

const LIMITS = { depth: 64, elements: 10_000 }

/** Dead properties of one resource in webdav-server's words: a name is namespace and local name in one, a value is text. */
export class TreePropertyManager implements webdav.IPropertyManager {
  constructor(
    private readonly tree: Tree,
    private readonly path: string,
    private readonly guard: Guard,
  ) {}

  setProperty(
    name: string,
    value: webdav.ResourcePropertyValue,
    _attributes: webdav.PropertyAttributes,
    callback: webdav.SimpleCallback,
  ): void {
    if (typeof value !== 'string') {
      callback(new TypeError('Only text can be stored this way.'))
      return
    }
    const split = splitName(name)
    const xml = `<n:${split.name} xmlns:n="${escapeAttribute(split.namespace)}">${escapeXml(value)}</n:${split.name}>`
    this.#change({ set: { ...split, xml } }, callback)
  }

  removeProperty(name: string, callback: webdav.SimpleCallback): void {
    this.#change({ remove: splitName(name) }, callback)
  }

  getProperty(
    name: string,
    callback: webdav.Return2Callback<webdav.ResourcePropertyValue, webdav.PropertyAttributes>,
  ): void {
    this.tree.properties(this.path).then((properties) => {
      const found = properties.find((property) => property.namespace + property.name === name)
      callback(undefined, found && contentOf(found), {})
    }, callback)
  }

  getProperties(callback: webdav.ReturnCallback<webdav.PropertyBag>): void {
    this.tree.properties(this.path).then((properties) => {
      const entries = properties.map((property) => [property.namespace + property.name, { value: contentOf(property) }])
      callback(undefined, Object.fromEntries(entries) as webdav.PropertyBag)
    }, callback)
  }

  #change(change: PropertyChange, callback: webdav.SimpleCallback): void {
    const call = { signal: new AbortController().signal }
    this.tree.changeProperties(this.path, [change], this.guard, call).then(() => callback(), callback)
  }
}

function contentOf({ xml }: DeadProperty): string {
  return textOf(readXml(Buffer.from(xml), LIMITS))
}

/** The local name is what follows the last character that cannot be in one. */
function splitName(name: string): { namespace: string; name: string } {
  const [, namespace = '', local = name] = /^(.*[/:#])?([^/:#]+)$/.exec(name) ?? []
  return { namespace, name: local }
}
