import type { Client, OperationMount, TreeOperation } from '../../src/vfs/observer.js'

export const CLIENT: Client = { address: '192.0.2.1', userAgent: 'rclone/1', requestId: 'r1', via: 'password' }

export function operationMount(alias: string, permissionId = 1): OperationMount {
  return { permissionId, serverId: 10 + permissionId, alias, remoteUser: 'remote', accountKey: `key ${permissionId}` }
}

/** What an `ObservedTree` tells of, as anna's on `/s2`. */
export function treeOperation(changes: Partial<TreeOperation> = {}): TreeOperation {
  return {
    kind: 'read',
    userId: 1,
    username: 'anna',
    client: CLIENT,
    path: '/s2/a.txt',
    target: undefined,
    mount: operationMount('s2'),
    targetMount: undefined,
    startedAt: 1_700_000_000_000,
    bytes: 0,
    total: undefined,
    end: () => undefined,
    ...changes,
  }
}
