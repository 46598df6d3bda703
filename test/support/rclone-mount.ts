import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Rclone } from './rclone.js'

export interface MountedDrive {
  /** The drive as a folder, for this process to use. */
  readonly folder: string
  readonly log: () => string
  /** Unmounts. */
  stop(): Promise<void>
}

/** Why `rclone mount` cannot run here; undefined when it can. */
export function mountObstacle(): string | undefined {
  return existsSync('/dev/fuse') ? undefined : 'there is no /dev/fuse'
}

/** Mounts `drive:` in a mount namespace of rclone's own: the mount ends with it. Writes go through, nothing is cached on disk. */
export async function mountDrive(rclone: Rclone, mountPoint: string): Promise<MountedDrive> {
  await mkdir(mountPoint, { recursive: true })
  const args = [
    'mount',
    'drive:',
    mountPoint,
    '--vfs-cache-mode',
    'off',
    '--dir-cache-time',
    '2s',
    '--attr-timeout',
    '1s',
  ]
  const program = ['unshare', '--mount', rclone.program, ...args]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...program], {
    env: rclone.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'exit')
  const deadline = Date.now() + 30_000
  while (!(await readFile(`/proc/${child.pid}/mounts`, 'utf8').catch(() => '')).includes(mountPoint)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`rclone mount did not come up:\n${output}`)
    }
    await delay(20)
  }
  return {
    folder: `/proc/${child.pid}/root${mountPoint}`,
    log: () => output,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
