import type { Readable, Writable } from 'node:stream'
import { v2 as webdav } from 'webdav-server'
import { contentTypeOf } from '../http/content-type.js'
import { isStorageError } from '../storage/errors.js'
import { isVfsError } from '../vfs/errors.js'
import type { Failure, Node } from '../vfs/node.js'
import type { Call, Guard, Tree } from '../vfs/tree.js'
import { virtualPath } from '../vfs/virtual-path.js'
import { DavUser } from './dav-user.js'
import { TreeLockManager } from './tree-lock-manager.js'
import { TreePropertyManager } from './tree-property-manager.js'
import { readStream, writeStream } from './tree-streams.js'

type Info = webdav.IContextInfo
type Done = webdav.SimpleCallback
type Return<T> = webdav.ReturnCallback<T>

/**
 * The one file system of webdav-server: it stands at the root for everybody and acts on the tree of the context's user.
 * The verbs use the tree directly, with ranges, signals and preconditions that this interface has no words for; this is
 * the library's programmatic API (`getResourceAsync` and its `Resource`) on the same tree.
 */
export class DavFileSystem extends webdav.FileSystem {
  constructor() {
    super(new NotSerialized())
  }

  /**
   * webdav-server asks for the type before every request, only to list the allowed methods, and for `/` in the name of a
   * user that is nobody: no server is asked for that.
   */
  override type(
    context: webdav.RequestContext,
    path: webdav.Path | string,
    callback: Return<webdav.ResourceType>,
  ): void {
    const fromRequest = context instanceof webdav.HTTPRequestContext
    if (fromRequest || !(context.user instanceof DavUser)) callback(undefined, webdav.ResourceType.Directory)
    else super.type(context, path, callback)
  }

  protected override _type(path: webdav.Path, info: Info, callback: Return<webdav.ResourceType>): void {
    const typeOf = (node: Node) => (node.type === 'file' ? webdav.ResourceType.File : webdav.ResourceType.Directory)
    this.#stat(path, info, typeOf, callback)
  }

  protected override _size(path: webdav.Path, info: Info, callback: Return<number>): void {
    this.#stat(path, info, (node) => node.size, callback)
  }

  protected override _lastModifiedDate(path: webdav.Path, info: Info, callback: Return<number>): void {
    this.#stat(path, info, (node) => node.modified ?? 0, callback)
  }

  protected override _creationDate(path: webdav.Path, info: Info, callback: Return<number>): void {
    this.#stat(path, info, (node) => node.modified ?? 0, callback)
  }

  protected override _etag(path: webdav.Path, info: Info, callback: Return<string>): void {
    this.#stat(path, info, (node) => node.etag ?? '', callback)
  }

  protected override _mimeType(path: webdav.Path, info: Info, callback: Return<string>): void {
    this.#stat(path, info, (node) => (node.type === 'file' ? contentTypeOf(node.name) : ''), callback)
  }

  protected override _displayName(path: webdav.Path, info: Info, callback: Return<string>): void {
    this.#stat(path, info, (node) => node.name, callback)
  }

  protected override _readDir(path: webdav.Path, info: Info, callback: Return<string[] | webdav.Path[]>): void {
    answer(callback, async () => {
      const { members } = await treeOf(info).list(pathOf(path), newCall())
      return members.map((member) => member.name)
    })
  }

  protected override _openReadStream(path: webdav.Path, info: Info, callback: Return<Readable>): void {
    answer(callback, async () => {
      const tree = treeOf(info)
      return readStream(tree, await tree.stat(pathOf(path), newCall()))
    })
  }

  protected override _openWriteStream(path: webdav.Path, info: Info, callback: Return<Writable>): void {
    answer(callback, async () => {
      const tree = treeOf(info)
      // The library makes a missing file by `create` first, and tells it apart by this.
      await tree.stat(pathOf(path), newCall())
      return writeStream(tree, pathOf(path), await ownGuard(tree, pathOf(path)))
    })
  }

  protected override _create(path: webdav.Path, info: webdav.CreateInfo, callback: Done): void {
    finish(callback, async () => {
      const tree = treeOf(info)
      const guard = await ownGuard(tree, pathOf(path))
      if (info.type.isDirectory) {
        await tree.makeDirectory(pathOf(path), guard, newCall())
        return
      }
      const check = (current: Node | undefined) => {
        if (current) throw webdav.Errors.ResourceAlreadyExists
      }
      await tree.write(pathOf(path), nothing(), { ...guard, check, size: 0 }, newCall())
    })
  }

  protected override _delete(path: webdav.Path, info: webdav.DeleteInfo, callback: Done): void {
    finish(callback, async () => {
      const tree = treeOf(info)
      whole(await tree.remove(pathOf(path), await ownGuard(tree, pathOf(path)), newCall()))
    })
  }

  protected override _copy(from: webdav.Path, to: webdav.Path, info: webdav.CopyInfo, callback: Return<boolean>): void {
    answer(callback, async () => {
      const tree = treeOf(info)
      const options = { overwrite: info.overwrite, deep: info.depth !== 0 }
      const guard = await ownGuard(tree, pathOf(to))
      const { created, failures } = await tree.copy(pathOf(from), pathOf(to), options, guard, newCall())
      whole(failures)
      return !created
    })
  }

  protected override _move(from: webdav.Path, to: webdav.Path, info: webdav.MoveInfo, callback: Return<boolean>): void {
    answer(callback, async () => {
      const tree = treeOf(info)
      const guard = await ownGuard(tree, pathOf(from), pathOf(to))
      const options = { overwrite: info.overwrite }
      const { created, failures } = await tree.move(pathOf(from), pathOf(to), options, guard, newCall())
      whole(failures)
      return !created
    })
  }

  protected override _lockManager(path: webdav.Path, info: Info, callback: Return<webdav.ILockManager>): void {
    answer(callback, () => Promise.resolve(new TreeLockManager(treeOf(info), pathOf(path))))
  }

  protected override _propertyManager(path: webdav.Path, info: Info, callback: Return<webdav.IPropertyManager>): void {
    answer(callback, async () => {
      const tree = treeOf(info)
      return new TreePropertyManager(tree, pathOf(path), await ownGuard(tree, pathOf(path)))
    })
  }

  #stat<T>(path: webdav.Path, info: Info, pick: (node: Node) => T, callback: Return<T>): void {
    answer(callback, async () => pick(await treeOf(info).stat(pathOf(path), newCall())))
  }
}

/** What the file system shows is on other machines: webdav-server has nothing to save. */
class NotSerialized implements webdav.FileSystemSerializer {
  uid(): string {
    return 'FTPCluster'
  }

  serialize(_fs: webdav.FileSystem, callback: Return<unknown>): void {
    callback(webdav.Errors.InvalidOperation)
  }

  unserialize(_data: unknown, callback: Return<webdav.FileSystem>): void {
    callback(webdav.Errors.InvalidOperation)
  }
}

function treeOf({ context }: Info): Tree {
  if (context.user instanceof DavUser) return context.user.tree
  throw webdav.Errors.NotEnoughPrivilege
}

function pathOf(path: webdav.Path): string {
  return virtualPath(path.paths)
}

function newCall(): Call {
  return { signal: new AbortController().signal }
}

/** The library's locks bind other users only, so the user's own tokens count as submitted. */
async function ownGuard(tree: Tree, ...paths: string[]): Promise<Guard> {
  const locks = await Promise.all(paths.map((path) => tree.locks(path)))
  const own = locks.flat().filter((lock) => lock.userId === tree.userId)
  return { lockTokens: new Set(own.map((lock) => lock.token)) }
}

/** The library has no word for a part that failed. */
function whole(failures: readonly Failure[]): void {
  const [first] = failures
  if (first) throw first.error
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file.
}

function answer<T>(callback: Return<T>, work: () => Promise<T>): void {
  attempt(work).then(
    (value) => callback(undefined, value),
    (error: unknown) => callback(libraryError(error)),
  )
}

function finish(callback: Done, work: () => Promise<void>): void {
  attempt(work).then(
    () => callback(),
    (error: unknown) => callback(libraryError(error)),
  )
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return work()
}

/** The library tells errors apart by identity. */
function libraryError(error: unknown): Error {
  const { Errors } = webdav
  if (isVfsError(error, 'NO_SUCH_PATH') || isStorageError(error, 'NOT_FOUND', 'NOT_A_DIRECTORY')) {
    return Errors.ResourceNotFound
  }
  if (isVfsError(error, 'TARGET_EXISTS') || isStorageError(error, 'ALREADY_EXISTS')) return Errors.ResourceAlreadyExists
  if (isVfsError(error, 'PARENT_MISSING')) return Errors.IntermediateResourceMissing
  if (isVfsError(error, 'LOCKED', 'LOCK_CONFLICT')) return Errors.Locked
  if (isVfsError(error, 'READ_ONLY', 'MOUNT_IS_FIXED', 'OVERLAP') || isStorageError(error, 'DENIED'))
    return Errors.Forbidden
  if (isStorageError(error, 'NO_SPACE')) return Errors.InsufficientStorage
  return error instanceof Error ? error : new Error(String(error))
}
