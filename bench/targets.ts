import type { Server } from './stage.js'

/** `value`: of the workload; `cpu`: seconds per GiB; `direct`: against the direct row; `memory`: of the whole run. */
export type Measure = 'value' | 'cpu' | 'direct' | 'memory'

/** Ratio of the product to rclone (or to direct access) in the same run: at least for rates, at most for the rest. */
type Row = readonly [workload: string, measure: Measure, targets: Partial<Record<Group, number>>]

type Group = 'sftp' | 'proftpd' | 'ftp' | 'sftp-10ms' | 'ftp-10ms'

const TARGETS: readonly Row[] = [
  ['get', 'value', { sftp: 1.4, proftpd: 2.5, ftp: 2.0, 'sftp-10ms': 2.5, 'ftp-10ms': 1.0 }],
  ['get-4', 'value', { sftp: 1.0, proftpd: 1.3, ftp: 1.5 }],
  ['get', 'cpu', { sftp: 0.7, proftpd: 0.9, ftp: 0.9 }],
  ['get', 'direct', { sftp: 0.9, proftpd: 0.5, ftp: 0.5 }],
  ['put', 'value', { sftp: 1.05, proftpd: 0.7, ftp: 0.8, 'sftp-10ms': 1.8, 'ftp-10ms': 1.4 }],
  ['put-4', 'value', { sftp: 0.95, proftpd: 0.85, ftp: 0.9 }],
  ['put', 'direct', { sftp: 0.9, proftpd: 0.8, ftp: 0.8 }],
  ['range', 'value', { sftp: 0.15, proftpd: 0.02, ftp: 0.03 }],
  ['list-1000', 'value', { sftp: 0.08, proftpd: 0.08, ftp: 0.08 }],
  ['list-10000', 'value', { sftp: 0.08, proftpd: 0.08, ftp: 0.08 }],
  ['list-1000-cold', 'value', { 'sftp-10ms': 0.4, 'ftp-10ms': 0.05 }],
  ['list-10000-cold', 'value', { sftp: 0.4, proftpd: 0.8, ftp: 0.15 }],
  ['get-small-c1', 'value', { sftp: 2.2, proftpd: 1.1, ftp: 1.4 }],
  ['get-small-c16', 'value', { sftp: 4, proftpd: 1.3, ftp: 1.5, 'sftp-10ms': 5, 'ftp-10ms': 2 }],
  ['put-small-c1', 'value', { sftp: 1.0, proftpd: 10, ftp: 2.5 }],
  ['put-small-c16', 'value', { sftp: 2, proftpd: 10, ftp: 2.5, 'sftp-10ms': 3, 'ftp-10ms': 2 }],
  ['move', 'value', { sftp: 1.5, proftpd: 10, ftp: 4 }],
  ['mkcol', 'value', { sftp: 1.5, proftpd: 10, ftp: 4 }],
  ['delete', 'value', { sftp: 1.5, proftpd: 10, ftp: 4 }],
  ['mixed', 'value', { sftp: 2.5, proftpd: 2, ftp: 1.4 }],
  ['tree-up', 'value', { sftp: 1.5, proftpd: 5, ftp: 2 }],
  ['tree-down', 'value', { sftp: 1.5, proftpd: 1.2, ftp: 1.3 }],
]

/** Peak memory of the gateway over the whole run, against rclone's. */
export const MEMORY_TARGET = 0.9

export function targetOf(
  workload: string,
  measure: Measure,
  server: Pick<Server, 'name' | 'kind'>,
): number | undefined {
  const group = groupOf(server)
  if (group === undefined) return undefined
  return TARGETS.find(([name, of]) => name === workload && of === measure)?.[2][group]
}

function groupOf({ name, kind }: Pick<Server, 'name' | 'kind'>): Group | undefined {
  if (name.endsWith('-10ms')) return kind === 'sshd' ? 'sftp-10ms' : 'ftp-10ms'
  if (name !== kind) return undefined
  if (kind === 'sshd') return 'sftp'
  if (kind === 'proftpd') return 'proftpd'
  return kind === 'vsftpd' || kind === 'pure-ftpd' ? 'ftp' : undefined
}
