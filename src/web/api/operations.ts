import { endActivity, listActivity, listClients } from './activity/activity.js'
import { exportAudit, listAudit } from './audit/audit.js'
import { copyEntry } from './files/copy-entry.js'
import { createFolder } from './files/create-folder.js'
import { getEntry } from './files/get-entry.js'
import { listFolder } from './files/list-folder.js'
import { moveEntry } from './files/move-entry.js'
import { removeEntry } from './files/remove-entry.js'
import { getHealth, listHealth } from './health/health.js'
import { cancelJob } from './jobs/cancel-job.js'
import { getJob } from './jobs/get-job.js'
import { listJobs } from './jobs/list-jobs.js'
import { createApiToken, listApiTokens, revokeApiToken } from './me/api-tokens.js'
import { createAppPassword, listAppPasswords, revokeAppPassword } from './me/app-passwords.js'
import { changePassword } from './me/change-password.js'
import { getMe } from './me/get-me.js'
import {
  beginSecondFactor,
  confirmSecondFactor,
  disableSecondFactor,
  getSecondFactor,
  renewRecoveryCodes,
} from './me/second-factor.js'
import { listOwnServers, setOwnCredentials } from './me/servers.js'
import { endOtherSessions, endSession, listSessions } from './me/sessions.js'
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
import { exportReview, listReview } from './review/review.js'
import { createServer } from './servers/create-server.js'
import { getServer } from './servers/get-server.js'
import { listServers } from './servers/list-servers.js'
import { removeServer } from './servers/remove-server.js'
import { replaceServer } from './servers/replace-server.js'
import { scanServer } from './servers/scan-server.js'
import { testServer } from './servers/test-server.js'
import { trustServer } from './servers/trust-server.js'
import { updateServer } from './servers/update-server.js'
import { logIn } from './session/log-in.js'
import { logOut } from './session/log-out.js'
import { createShare } from './shares/create-share.js'
import { endShare } from './shares/end-share.js'
import { getShare } from './shares/get-share.js'
import { listShares } from './shares/list-shares.js'
import { updateShare } from './shares/update-share.js'
import { getProvisioner, removeProvisioner, setProvisioner } from './sync/provisioner.js'
import { abortPlan, applyPlan, createPlan, getPlan, listPlans } from './sync/plans.js'
import { adoptAccount, decideEnding, getSyncState, rotateSecrets } from './sync/accounts.js'
import { createUser } from './users/create-user.js'
import { endSessionOfUser } from './users/end-session.js'
import { endSessionsOfUser } from './users/end-sessions.js'
import { exportUsers } from './users/export-users.js'
import { getUser } from './users/get-user.js'
import { importUsers } from './users/import-users.js'
import { listApiTokensOfUser } from './users/list-api-tokens.js'
import { listAppPasswordsOfUser } from './users/list-app-passwords.js'
import { listSessionsOfUser } from './users/list-sessions.js'
import { listUsers } from './users/list-users.js'
import { removeUser } from './users/remove-user.js'
import { replaceUser } from './users/replace-user.js'
import { resetPassword } from './users/reset-password.js'
import { resetSecondFactor } from './users/reset-second-factor.js'
import { revokeApiTokenOfUser } from './users/revoke-api-token.js'
import { revokeAppPasswordOfUser } from './users/revoke-app-password.js'
import { updateUser } from './users/update-user.js'

/** Everything that the API can do, in the order in which it is described. */
export const OPERATIONS: readonly Operation[] = [
  logIn,
  logOut,

  getMe,
  changePassword,
  getSecondFactor,
  beginSecondFactor,
  confirmSecondFactor,
  disableSecondFactor,
  renewRecoveryCodes,
  listAppPasswords,
  createAppPassword,
  revokeAppPassword,
  listApiTokens,
  createApiToken,
  revokeApiToken,
  listSessions,
  endSession,
  endOtherSessions,
  listOwnServers,
  setOwnCredentials,

  listFolder,
  getEntry,
  createFolder,
  copyEntry,
  moveEntry,
  removeEntry,
  listJobs,
  getJob,
  cancelJob,
  listShares,
  createShare,
  getShare,
  updateShare,
  endShare,

  listUsers,
  createUser,
  exportUsers,
  importUsers,
  getUser,
  updateUser,
  replaceUser,
  removeUser,
  resetPassword,
  resetSecondFactor,
  listAppPasswordsOfUser,
  revokeAppPasswordOfUser,
  listApiTokensOfUser,
  revokeApiTokenOfUser,
  listSessionsOfUser,
  endSessionOfUser,
  endSessionsOfUser,

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

  getProvisioner,
  setProvisioner,
  removeProvisioner,
  getSyncState,
  createPlan,
  listPlans,
  getPlan,
  applyPlan,
  abortPlan,
  adoptAccount,
  decideEnding,
  rotateSecrets,

  listReview,
  exportReview,

  listAudit,
  exportAudit,

  listActivity,
  listClients,
  endActivity,

  listHealth,
  getHealth,

  getOpenapi,
]
