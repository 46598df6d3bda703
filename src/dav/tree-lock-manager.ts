import { v2 as webdav } from 'webdav-server'
import type { Lock, Tree } from '../vfs/tree.js'

/** Locks of one resource in webdav-server's words. Its lock gets the token that the tree gave. */
export class TreeLockManager implements webdav.ILockManager {
  constructor(
    private readonly tree: Tree,
    private readonly path: string,
  ) {}

  getLocks(callback: webdav.ReturnCallback<webdav.Lock[]>): void {
    this.tree.locks(this.path).then((locks) => callback(undefined, locks.map(libraryLock)), callback)
  }

  getLock(uuid: string, callback: webdav.ReturnCallback<webdav.Lock>): void {
    this.getLocks((error, locks) =>
      callback(
        error,
        locks?.find((lock) => lock.uuid === uuid),
      ),
    )
  }

  setLock(lock: webdav.Lock, callback: webdav.SimpleCallback): void {
    const request = {
      depth: lock.depth === 0 ? ('0' as const) : ('infinity' as const),
      scope: lock.lockKind.scope.isSame(webdav.LockScope.Shared) ? ('shared' as const) : ('exclusive' as const),
      ownerXml: '',
      seconds: lock.lockKind.timeout,
      lockTokens: new Set<string>(),
    }
    this.tree.lock(this.path, request, { signal: new AbortController().signal }).then((granted) => {
      lock.uuid = granted.lock.token
      callback()
    }, callback)
  }

  removeLock(uuid: string, callback: webdav.ReturnCallback<boolean>): void {
    this.tree.unlock(this.path, uuid).then(() => callback(undefined, true), callback)
  }

  refresh(uuid: string, timeoutSeconds: number, callback: webdav.ReturnCallback<webdav.Lock>): void {
    this.tree
      .refreshLock(this.path, uuid, timeoutSeconds)
      .then((lock) => callback(undefined, libraryLock(lock)), callback)
  }
}

function libraryLock(lock: Lock): webdav.Lock {
  const scope = lock.scope === 'shared' ? webdav.LockScope.Shared : webdav.LockScope.Exclusive
  const kind = new webdav.LockKind(scope, webdav.LockType.Write, lock.secondsLeft)
  const depth = lock.depth === '0' ? 0 : -1
  return Object.assign(new webdav.Lock(kind, String(lock.userId), lock.ownerXml, depth), { uuid: lock.token })
}
