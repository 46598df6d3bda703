import type { Sequelize } from 'sequelize'
import { defineApiToken } from './api-token.js'
import { defineAppPassword } from './app-password.js'
import { defineAuditAnchor } from './audit-anchor.js'
import { defineAuditEvent } from './audit-event.js'
import { defineDavLock } from './dav-lock.js'
import { defineDavProperty } from './dav-property.js'
import { defineManagedAccount } from './managed-account.js'
import { definePermission } from './permission.js'
import { defineProvisioner } from './provisioner.js'
import { defineRecoveryCode } from './recovery-code.js'
import { definePermissionUsage } from './permission-usage.js'
import { defineRevision } from './revision.js'
import { defineRevokedJwt } from './revoked-jwt.js'
import { defineServer } from './server.js'
import { defineSession } from './session.js'
import { defineServerHealthSample } from './server-health-sample.js'
import { defineShare } from './share.js'
import { defineSetting } from './setting.js'
import { defineSyncRun } from './sync-run.js'
import { defineSyncStep } from './sync-step.js'
import { defineUploadJournal } from './upload-journal.js'
import { defineUser } from './user.js'

export type Models = ReturnType<typeof defineModels>

/** The models belong to one `Sequelize`, so that several databases can be open in one process. */
export function defineModels(sequelize: Sequelize) {
  const User = defineUser(sequelize)
  const Server = defineServer(sequelize)
  const Permission = definePermission(sequelize)
  Permission.belongsTo(User, { foreignKey: { name: 'userId', allowNull: false }, onDelete: 'CASCADE' })
  Permission.belongsTo(Server, { foreignKey: { name: 'serverId', allowNull: false }, onDelete: 'CASCADE' })
  const AppPassword = defineAppPassword(sequelize)
  const ApiToken = defineApiToken(sequelize)
  AppPassword.belongsTo(User, { foreignKey: { name: 'userId', allowNull: false }, onDelete: 'CASCADE' })
  ApiToken.belongsTo(User, { foreignKey: { name: 'userId', allowNull: false }, onDelete: 'CASCADE' })
  const Share = defineShare(sequelize)
  Share.belongsTo(Permission, { foreignKey: { name: 'permissionId', allowNull: false }, onDelete: 'CASCADE' })
  Share.belongsTo(User, {
    as: 'Recipient',
    foreignKey: { name: 'recipientId', allowNull: false },
    onDelete: 'CASCADE',
  })
  return {
    User,
    Server,
    Permission,
    AppPassword,
    ApiToken,
    Share,
    RecoveryCode: defineRecoveryCode(sequelize),
    Session: defineSession(sequelize),
    RevokedJwt: defineRevokedJwt(sequelize),
    AuditEvent: defineAuditEvent(sequelize),
    AuditAnchor: defineAuditAnchor(sequelize),
    DavLock: defineDavLock(sequelize),
    DavProperty: defineDavProperty(sequelize),
    UploadJournal: defineUploadJournal(sequelize),
    PermissionUsage: definePermissionUsage(sequelize),
    ServerHealthSample: defineServerHealthSample(sequelize),
    Revision: defineRevision(sequelize),
    Setting: defineSetting(sequelize),
    Provisioner: defineProvisioner(sequelize),
    ManagedAccount: defineManagedAccount(sequelize),
    SyncRun: defineSyncRun(sequelize),
    SyncStep: defineSyncStep(sequelize),
  }
}
