import { expect } from 'chai'
import { cp, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { labFor, type Lab } from '../lab/lab.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'
import {
  applyRenames,
  AWKWARD_NAMES,
  differences,
  makeTree,
  renamesOf,
  snapshotOf,
  SPACED_NAMES,
} from '../support/file-tree.js'
import { GatewayProcess } from '../support/gateway.js'
import { mountDrive, mountObstacle, type MountedDrive } from '../support/rclone-mount.js'
import { Rclone } from '../support/rclone.js'

const NAMES = [...AWKWARD_NAMES, ...SPACED_NAMES]

describe('rclone mount', function () {
  this.timeout(600_000)
  let lab: Lab
  let gateway: GatewayProcess | undefined
  let drive: MountedDrive | undefined
  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'] })
    const obstacle = mountObstacle()
    if (obstacle !== undefined) {
      // eslint-disable-next-line no-console
      console.warn(`Skipped, no mount to test: ${obstacle}.`)
      this.skip()
    }
    gateway = await GatewayProcess.start(driveOver(lab))
    const rclone = await Rclone.on({ url: gateway.dav('sshd'), username: USER, password: PASSWORD })
    drive = await mountDrive(rclone, path.join(lab.scratch, 'mounted'))
  })
  after(async () => {
    await drive?.stop()
    await gateway?.stop()
    await lab?.stop()
  })

  it('takes 2,000 files, renames half of them, and gives them back', async () => {
    const mounted = drive?.folder ?? ''
    const source = path.join(lab.scratch, 'source')
    await mkdir(source)
    await makeTree(source, { files: 2000, fileNames: NAMES, folderNames: NAMES })
    const tree = await snapshotOf(source)
    await cp(source, mounted, { recursive: true })
    const home = lab.daemon('sshd').account('alice').home
    expect(differences(tree, await snapshotOf(home)), `on the server\n${drive?.log()}`).to.deep.equal([])

    const renames = renamesOf(tree, NAMES)
    await applyRenames(mounted, renames)
    await applyRenames(source, renames)
    const renamed = await snapshotOf(source)
    expect(differences(renamed, await snapshotOf(home)), `renamed on the server\n${drive?.log()}`).to.deep.equal([])
    expect(differences(renamed, await snapshotOf(mounted)), `through the mount\n${drive?.log()}`).to.deep.equal([])
  })
})
