import { expect } from 'chai'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { ALL_DAEMONS, labFor, type DaemonKind, type Lab } from '../lab/lab.js'
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
import { moveAll } from '../support/move.js'
import { mountDrive, mountObstacle } from '../support/rclone-mount.js'
import { Rclone } from '../support/rclone.js'
import { canHoldFile, canHoldFolder } from '../support/server-names.js'
import { eventually, temporaryFilesIn } from '../support/upload.js'

const NAMES = [...AWKWARD_NAMES, ...SPACED_NAMES]
const FILES = 2000
/** The rest of the renames are plain MOVEs: rclone asks five questions around each. */
const BY_RCLONE = 100

describe('rclone', function () {
  this.timeout(1_200_000)
  let lab: Lab
  let gateway: GatewayProcess | undefined
  const outcomes = new Map<DaemonKind | 'mount', Promise<void>>()

  /** rclone makes at most 100 requests a second, so all work side by side; each test waits for its own. */
  function startAll(running: GatewayProcess): void {
    for (const kind of ALL_DAEMONS) start(kind, () => roundTrip(kind, running))
    if (mountObstacle() === undefined) start('mount', mounted)
  }

  function start(name: DaemonKind | 'mount', work: () => Promise<void>): void {
    const outcome = work()
    outcome.catch(() => undefined) // Reported by its test.
    outcomes.set(name, outcome)
  }

  before(async function () {
    lab = await labFor(this, { daemons: ALL_DAEMONS })
    gateway = await GatewayProcess.start(driveOver(lab))
    startAll(gateway)
  })
  after(async () => {
    await gateway?.stop()
    await lab?.stop()
  })

  async function roundTrip(kind: DaemonKind, { url }: GatewayProcess): Promise<void> {
    const [up, down] = [path.join(lab.scratch, `${kind}-up`), path.join(lab.scratch, `${kind}-down`)]
    const fileNames = NAMES.filter((name) => canHoldFile(kind, name))
    const folderNames = NAMES.filter((name) => canHoldFolder(kind, name))
    await makeTree(up, { files: FILES, fileNames, folderNames })
    const tree = await snapshotOf(up)
    expect([...tree.values()].filter((what) => what !== 'folder')).to.have.length(FILES)
    const target = { url: `${url}/dav/${kind}/`, username: USER, password: PASSWORD }
    const rclone = await Rclone.on(target)
    const home = lab.daemon(kind).account('alice').home

    await rclone.must('sync', '--create-empty-src-dirs', up, 'drive:')
    expect(differences(tree, await snapshotOf(home)), 'on the server').to.deep.equal([])
    // vsftpd's listings tell the time to the minute, or the day: to rclone every file has changed.
    if (kind !== 'vsftpd') {
      const again = await rclone.must('sync', '--create-empty-src-dirs', '-v', up, 'drive:')
      expect(again.stderr, 'times are kept').to.include('There was nothing to transfer')
    }
    const check = await rclone.must('check', '--download', up, 'drive:')
    expect(check.stderr).to.include('0 differences found')

    const renames = renamesOf(tree, fileNames)
    await rclone.rename(renames.slice(0, BY_RCLONE))
    await moveAll(target, renames.slice(BY_RCLONE))
    await applyRenames(up, renames)
    const renamed = await snapshotOf(up)
    expect(differences(renamed, await snapshotOf(home)), 'renamed on the server').to.deep.equal([])

    await rclone.must('sync', '--create-empty-src-dirs', 'drive:', down)
    expect(differences(renamed, await snapshotOf(down)), 'downloaded').to.deep.equal([])
    await Promise.all([up, down].map((folder) => rm(folder, { recursive: true })))
  }

  /** The drive as a folder of this machine, by a gateway and a login of its own. */
  async function mounted(): Promise<void> {
    const own = await GatewayProcess.start(driveOver(lab, 'bob'))
    const rclone = await Rclone.on({ url: own.dav('sshd'), username: USER, password: PASSWORD })
    const drive = await mountDrive(rclone, path.join(lab.scratch, 'mounted'))
    try {
      const source = path.join(lab.scratch, 'source')
      await mkdir(source)
      await makeTree(source, { files: FILES, fileNames: NAMES, folderNames: NAMES })
      const tree = await snapshotOf(source)
      await cp(source, drive.folder, { recursive: true })
      const home = lab.daemon('sshd').account('bob').home
      // To close an empty file is not to wait for its upload: rclone does that when the system lets go of it.
      await eventually(`all is on the server\n${drive.log()}`, 60, async () => {
        const names = await readdir(home, { recursive: true })
        return names.length >= tree.size && (await temporaryFilesIn(home)).length === 0
      })
      expect(differences(tree, await snapshotOf(home)), `on the server\n${drive.log()}`).to.deep.equal([])

      const renames = renamesOf(tree, NAMES)
      await applyRenames(drive.folder, renames)
      await applyRenames(source, renames)
      const renamed = await snapshotOf(source)
      expect(differences(renamed, await snapshotOf(home)), `renamed on the server\n${drive.log()}`).to.deep.equal([])
      expect(differences(renamed, await snapshotOf(drive.folder)), `through it\n${drive.log()}`).to.deep.equal([])
    } finally {
      await drive.stop()
      await own.stop()
    }
  }

  it('mount takes 2,000 files, renames half of them, and gives them back', function () {
    const obstacle = mountObstacle()
    if (obstacle !== undefined) {
      // eslint-disable-next-line no-console
      console.warn(`Skipped, no mount to test: ${obstacle}.`)
      this.skip()
    }
    return outcomes.get('mount')
  })

  for (const kind of ALL_DAEMONS) {
    it(`moves 2,000 files up, about and down on ${kind}, and nothing differs`, () => outcomes.get(kind))
  }
})
