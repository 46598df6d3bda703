import { expect } from 'chai'
import { rm } from 'node:fs/promises'
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
import { Rclone } from '../support/rclone.js'
import { canHoldFile, canHoldFolder } from '../support/server-names.js'

const NAMES = [...AWKWARD_NAMES, ...SPACED_NAMES]
const FILES = 2000
/** The rest of the renames are plain MOVEs: rclone asks five questions around each. */
const BY_RCLONE = 100
const AT_ONCE = 3

describe('rclone', function () {
  this.timeout(600_000)
  let lab: Lab
  let gateway: GatewayProcess | undefined
  const outcomes = new Map<DaemonKind, Promise<void>>()

  /** rclone makes at most 100 requests a second, so several work side by side; each test waits for its own. */
  function startAll(running: GatewayProcess): void {
    const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve())
    for (const [i, kind] of ALL_DAEMONS.entries()) {
      const work = (lanes[i % AT_ONCE] ?? Promise.resolve()).then(() => roundTrip(kind, running))
      lanes[i % AT_ONCE] = work.catch(() => undefined) // Reported by its test.
      outcomes.set(kind, work)
    }
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

  for (const kind of ALL_DAEMONS) {
    it(`moves 2,000 files up, about and down on ${kind}, and nothing differs`, () => outcomes.get(kind))
  }
})
