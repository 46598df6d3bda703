import { getOpenapi } from './openapi-document.js'
import type { Operation } from './operation.js'
import { getPermission } from './permissions/get-permission.js'
import { grantPermission } from './permissions/grant-permission.js'
import { grantSeveral } from './permissions/grant-several.js'
import { listPermissions } from './permissions/list-permissions.js'
import { replacePermission } from './permissions/replace-permission.js'
import { revokePermission } from './permissions/revoke-permission.js'
import { setCredentials } from './permissions/set-credentials.js'
import { updatePermission } from './permissions/update-permission.js'
import { createServer } from './servers/create-server.js'
import { getServer } from './servers/get-server.js'
import { listServers } from './servers/list-servers.js'
import { removeServer } from './servers/remove-server.js'
import { replaceServer } from './servers/replace-server.js'
import { scanServer } from './servers/scan-server.js'
import { testServer } from './servers/test-server.js'
import { trustServer } from './servers/trust-server.js'
import { updateServer } from './servers/update-server.js'

/** Everything that the API can do, in the order in which it is described. */
export const OPERATIONS: readonly Operation[] = [
  listServers,
  createServer,
  getServer,
  updateServer,
  replaceServer,
  removeServer,
  testServer,
  scanServer,
  trustServer,

  listPermissions,
  grantPermission,
  grantSeveral,
  getPermission,
  updatePermission,
  replacePermission,
  setCredentials,
  revokePermission,

  getOpenapi,
]
