import { lchown, symlink, utimes } from 'node:fs/promises'
import { createDialer } from '../../src/storage/dialer.js'
import type { Deadlines, Login } from '../../src/storage/driver.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { createSftpDriver } from '../../src/storage/sftp/sftp-driver.js'
import { ALL_DAEMONS, labFor, localPath, type Lab } from '../lab/lab.js'
import { canHoldFolder } from '../support/server-names.js'
import { describeDriverConformance, type ConformanceSetup } from './driver-conformance.js'

const DEADLINES: Deadlines = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const DIAL = createDialer({ allow: ['127.0.0.0/8'] })
const SFTP = createSftpDriver({ deadlines: DEADLINES, dial: DIAL })
const FTP = createFtpDriver({ deadlines: DEADLINES, dial: DIAL })

describe('real servers', function () {
  this.timeout(180_000)
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: ALL_DAEMONS, smallDisk: 2 << 20 })
  })
  after(() => lab?.stop())

  for (const kind of ALL_DAEMONS) {
    const driver = kind === 'sshd' ? SFTP : FTP
    // eslint-disable-next-line @typescript-eslint/require-await
    describeDriverConformance(kind, async (): Promise<ConformanceSetup> => {
      const { endpoint, forbidden, ...daemon } = lab.daemon(kind)
      const eve = daemon.account('eve')
      const login: Login = eve
      return {
        connect: () => driver.connect(endpoint, login),
        connectRejected: () => driver.connect(endpoint, { ...login, password: 'wrong' }),
        folder: eve.remoteHome,
        forbiddenFolder: forbidden.folder,
        unlistableFolder: forbidden.unlistable,
        readOnlyFolder: forbidden.readOnly,
        forbiddenFile: forbidden.file,
        fullFolder: forbidden.full,
        plantLink: async (target, path) => {
          await symlink(target, localPath(eve, path))
          await lchown(localPath(eve, path), eve.uid, eve.uid)
        },
        plantTime: (path, modified) => utimes(localPath(eve, path), modified / 1000, modified / 1000),
        canHold: (name) => canHoldFolder(kind, name),
      }
    })
  }
})
