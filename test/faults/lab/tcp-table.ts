import { readFile } from 'node:fs/promises'

/** proc(5): waiting for an answer to a SYN; established. */
const STATES = { connecting: '02', established: '01' } as const

/** Sockets of this machine over IPv4 that are in a state, by the port at their own or at the other end. */
export async function countSockets(
  state: keyof typeof STATES,
  { local = '\\w{4}', remote = '\\w{4}' }: { readonly local?: number | string; readonly remote?: number | string },
): Promise<number> {
  const hex = (port: number | string) =>
    typeof port === 'string' ? port : port.toString(16).toUpperCase().padStart(4, '0')
  const line = new RegExp(`^\\s*\\d+: \\w+:${hex(local)} \\w+:${hex(remote)} ${STATES[state]} `)
  return (await readFile('/proc/net/tcp', 'utf8')).split('\n').filter((text) => line.test(text)).length
}
