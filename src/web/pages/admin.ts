import type { Router } from 'express'
import type { WebDependencies } from '../dependencies.js'
import { activityRoutes } from './activity/activity.js'
import { auditRoutes } from './audit/audit.js'
import { exportAuditRoutes } from './audit/export-audit.js'
import { reviewRoutes } from './review/review.js'
import { serversHealthRoutes } from './servers/servers-health.js'
import { editPermissionRoutes } from './permissions/edit-permission.js'
import { grantRoutes } from './permissions/grant.js'
import { listPermissionsRoutes } from './permissions/list-permissions.js'
import { permissionCredentialsRoutes } from './permissions/permission-credentials.js'
import { revokePermissionRoutes } from './permissions/revoke-permission.js'
import { deleteServerRoutes } from './servers/delete-server.js'
import { editServerRoutes } from './servers/edit-server.js'
import { listServersRoutes } from './servers/list-servers.js'
import { newServerRoutes } from './servers/new-server.js'
import { serverStateRoutes } from './servers/server-state.js'
import { showServerRoutes } from './servers/show-server.js'
import { testServerRoutes } from './servers/test-server.js'
import { trustServerRoutes } from './servers/trust-server.js'
import { provisionerRoutes } from './sync/provisioner.js'
import { syncPlanRoutes } from './sync/plan.js'
import { syncRoutes } from './sync/sync.js'
import { deleteUserRoutes } from './users/delete-user.js'
import { exportUsersRoutes } from './users/export-users.js'
import { importUsersRoutes } from './users/import-users.js'
import { listUsersRoutes } from './users/list-users.js'
import { newUserRoutes } from './users/new-user.js'
import { showUserRoutes } from './users/show-user.js'
import { userApiTokenRoutes } from './users/user-api-token.js'
import { userAppPasswordRoutes } from './users/user-app-password.js'
import { userPasswordRoutes } from './users/user-password.js'
import { userRoleRoutes } from './users/user-role.js'
import { userSecondFactorRoutes } from './users/user-second-factor.js'
import { userSessionRoutes } from './users/user-session.js'
import { userSessionsRoutes } from './users/user-sessions.js'
import { userStateRoutes } from './users/user-state.js'

/** What the pages of administrators need. */
export type AdminDependencies = Pick<
  WebDependencies,
  | 'users'
  | 'change'
  | 'hashPassword'
  | 'servers'
  | 'permissions'
  | 'shares'
  | 'sync'
  | 'secondFactor'
  | 'appPasswords'
  | 'apiTokens'
  | 'sessions'
  | 'drivers'
  | 'audit'
  | 'activity'
  | 'usage'
  | 'health'
>

/** The pages of administrators. Those with a fixed name stand before those with an id at the same place. */
export const ADMIN_PAGES: readonly ((dependencies: AdminDependencies) => Router)[] = [
  listUsersRoutes,
  newUserRoutes,
  importUsersRoutes,
  exportUsersRoutes,
  showUserRoutes,
  userRoleRoutes,
  userStateRoutes,
  userPasswordRoutes,
  userSecondFactorRoutes,
  userAppPasswordRoutes,
  userApiTokenRoutes,
  userSessionRoutes,
  userSessionsRoutes,
  deleteUserRoutes,

  listServersRoutes,
  newServerRoutes,
  serversHealthRoutes,
  showServerRoutes,
  editServerRoutes,
  serverStateRoutes,
  testServerRoutes,
  trustServerRoutes,
  deleteServerRoutes,

  listPermissionsRoutes,
  grantRoutes,
  editPermissionRoutes,
  permissionCredentialsRoutes,
  revokePermissionRoutes,

  syncRoutes,
  syncPlanRoutes,
  provisionerRoutes,

  reviewRoutes,
  auditRoutes,
  exportAuditRoutes,
  activityRoutes,
]
