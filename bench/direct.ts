import { rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { labPrograms } from '../test/lab/programs.js'
import { must } from '../test/lab/run.js'
import { FOLDER, onDisk } from './data.js'
import type { Server, Stage } from './stage.js'
import { MB, timed, type Result } from './workload.js'

/** curl for FTP and FTPS, OpenSSH's `sftp` with its default cipher for SFTP: what there is without a gateway. */
async function transfer(
  stage: Stage,
  server: Server,
  what: { readonly get: string; readonly to: string } | { readonly put: string; readonly to: string },
  bytes: number,
): Promise<Result> {
  const { env } = await labPrograms()
  const run = server.endpoint.protocol === 'sftp' ? await sftp(stage, server, what) : curl(server, what)
  const seconds = await timed(() =>
    must(run.command, run.args, { env, timeout: 300_000, ...(run.input ? { input: run.input } : {}) }),
  )
  return { value: bytes / MB / seconds, bytes }
}

interface Run {
  readonly command: string
  readonly args: readonly string[]
  readonly input?: string
}

function curl({ endpoint, login }: Server, what: Parameters<typeof transfer>[2]): Run {
  const url = (name: string) => `ftp://127.0.0.1:${endpoint.port}/${FOLDER}/${name}`
  const tls = endpoint.protocol === 'ftps' ? ['--ssl-reqd', '--insecure'] : []
  const common = ['--silent', '--show-error', '--fail', '--user', `${login.username}:${login.password}`, ...tls]
  if ('get' in what) return { command: 'curl', args: [...common, '--output', what.to, url(what.get)] }
  return { command: 'curl', args: [...common, '--upload-file', what.put, url(what.to)] }
}

/** As carol, who has a key and whose home is beside: `sftp` takes no password from a program. What is put arrives there. */
async function sftp(stage: Stage, { endpoint, home }: Server, what: Parameters<typeof transfer>[2]): Promise<Run> {
  const key = path.join(stage.lab.scratch, 'carol.key')
  const carol = stage.lab.daemon('sshd').account('carol')
  await writeFile(key, carol.privateKey ?? '', { mode: 0o600 })
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', `IdentityFile=${key}`]
  const args = ['-q', '-P', String(endpoint.port), '-b', '-', ...options.flatMap((option) => ['-o', option])]
  const there = (name: string) => path.join(home, FOLDER, name)
  const command = 'get' in what ? `get ${there(what.get)} ${what.to}` : `put ${what.put} ${what.to}`
  return { command: 'sftp', args: [...args, 'carol@127.0.0.1'], input: `${command}\n` }
}

export function downloadDirectly(stage: Stage, server: Server, name: string, bytes: number): Promise<Result> {
  return transfer(stage, server, { get: name, to: '/dev/null' }, bytes)
}

/** @param name of the new file @param from of the one whose bytes it gets */
export async function uploadDirectly(
  stage: Stage,
  server: Server,
  name: string,
  from: string,
  bytes: number,
): Promise<Result> {
  const result = await transfer(stage, server, { put: onDisk(server, from), to: name }, bytes)
  const carols = () => path.join(stage.lab.daemon('sshd').account('carol').home, name)
  const stored = server.endpoint.protocol === 'sftp' ? carols() : onDisk(server, name)
  const { size } = await stat(stored)
  if (size !== bytes) throw new Error(`${stored} has ${size} bytes instead of ${bytes}.`)
  await rm(stored)
  return result
}
