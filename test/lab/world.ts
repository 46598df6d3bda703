/**
 * A private mount and process namespace for the daemons of one lab. It shares the network with the tests, so ports on
 * 127.0.0.1 work as usual. It lives as long as its standard input is open: when this process ends, however it ends, the
 * kernel closes that pipe, every process inside is killed, its mounts vanish and its folder is removed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, open } from 'node:fs/promises'
import path from 'node:path'
import { descendantsOf } from './processes.js'

/** Where the unpacked packages appear inside: daemons reach it as any user, wherever the repository lies. */
export const INNER_ROOT = '/run/lab/root'

/** A file system of its own, of `size` bytes, to fill up. */
export interface SmallDisk {
  readonly path: string
  readonly size: number
  readonly uid: number
}

export interface World {
  /** Folder of this lab, readable by every user; removed at the end. */
  readonly folder: string
  /** Runs a program inside, in a process namespace of its own: when it ends, all that it started is killed. */
  start(command: string, args: readonly string[], options: StartOptions): Promise<ChildProcess>
  /** The program itself, and everything that runs in its namespace besides. */
  processesOf(started: ChildProcess): { main: number | undefined; others: number[] }
  /** How this process sees a path of the inside, also below mounts that exist only there. */
  outside(innerPath: string): string
  mountSmallDisk(disk: SmallDisk): Promise<void>
  stop(): Promise<void>
}

export interface StartOptions {
  /** Shell commands that run first, in a mount namespace of this program alone. */
  readonly prepare?: string
  readonly env: NodeJS.ProcessEnv
  readonly log: string
}

const KEEPER = `
set -e
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/sshd /run/vsftpd/empty ${INNER_ROOT}
mount --bind "$1" ${INNER_ROOT}
echo ready
exec 3>&1 >/dev/null
while read -r size uid folder; do
  mount -t tmpfs -o "size=$size,uid=$uid,gid=$uid,mode=755" small "$folder"
  echo mounted >&3
done
`

/** @param root folder of the unpacked packages */
export async function startWorld(root: string): Promise<World> {
  // Not os.tmpdir(): logins of the daemons must be able to walk down to it.
  const folder = await mkdtemp('/tmp/ftpcluster-lab-')
  await chmod(folder, 0o755)
  const outer = 'unshare --mount --pid --fork --kill-child --mount-proc sh -c "$0" keeper "$1"; rm -rf "$2"'
  const keeper = spawn('sh', ['-c', outer, KEEPER, root, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(keeper, 'exit')
  const answer = () => Promise.race([once(keeper.stdout, 'data'), ended.then(() => fail())])
  const fail = (): never => {
    throw new Error('The private namespace of the lab did not come up.')
  }
  await answer()
  // sh > unshare > the first process of the namespace
  const init = descendantsOf(keeper.pid ?? 0)[1] ?? fail()

  let mounting = Promise.resolve()

  return {
    folder,
    outside: (innerPath) => path.join(`/proc/${init}/root`, innerPath),
    async start(command, args, options) {
      const log = await open(options.log, 'a+')
      try {
        const enter = ['-t', String(init), '-m', '-p', '--', 'unshare', '--mount', '--pid', '--fork', '--mount-proc']
        // A shell is the first process and adopts orphans: vsftpd ends when it meets a child that it does not know.
        const script = `set -e; ${options.prepare ?? ':'}; exec 3<&0; "$0" "$@" <&3 3<&- & wait $!`
        return spawn('nsenter', [...enter, 'sh', '-c', script, command, ...args], {
          env: options.env,
          // vsftpd reports what is wrong with its configuration on its standard input.
          stdio: [log.fd, log.fd, log.fd],
          detached: true,
        })
      } finally {
        await log.close()
      }
    },
    processesOf(started) {
      // nsenter > unshare > sh > the program > …
      const [, , main, ...others] = started.exitCode === null ? descendantsOf(started.pid ?? 0) : []
      return { main, others }
    },
    mountSmallDisk(disk) {
      // One at a time: the keeper's answers carry no name.
      mounting = mounting.then(async () => {
        await mkdir(disk.path, { recursive: true })
        keeper.stdin.write(`${disk.size} ${disk.uid} ${disk.path}\n`)
        await answer()
      })
      return mounting
    },
    async stop() {
      keeper.stdin.end()
      await ended
    },
  }
}
