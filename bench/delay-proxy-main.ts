/**
 * A process that passes TCP connections on to a port of 127.0.0.1, each byte half a round trip later, in both directions.
 * It reads FTP replies that name a data port and puts a delayed port in its place, so that data is as far away as control.
 *
 * Started by `delay-proxy.ts` with the target port, the round trip in milliseconds and `ftp` or `tcp`.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const [targetPort = 0, roundTrip = 0] = process.argv.slice(2).map(Number)
const ftp = process.argv[4] === 'ftp'

/** Bytes under way in one direction: more than any window, so that only time is in the way. */
const UNDER_WAY = 64 * 1024 * 1024
/** A data connection that nobody opens is given up. Milliseconds. */
const DATA_WAIT = 30_000

interface Waiting {
  readonly due: number
  readonly chunk: Buffer | undefined
}

function delayed(from: Socket, to: Socket, change?: (chunk: Buffer) => Promise<Buffer> | Buffer): void {
  const line: Waiting[] = []
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  const forward = () => {
    timer = undefined
    const now = performance.now()
    for (let next = line[0]; next; next = line[0]) {
      if (next.due > now) {
        timer = setTimeout(forward, next.due - now)
        return
      }
      line.shift()
      if (next.chunk === undefined) to.end()
      else {
        to.write(next.chunk)
        bytes -= next.chunk.length
        if (to.writableNeedDrain) {
          to.once('drain', forward)
          return
        }
      }
      if (bytes < UNDER_WAY / 2 && from.isPaused()) from.resume()
    }
  }
  const add = (chunk: Buffer | undefined) => {
    line.push({ due: performance.now() + roundTrip / 2, chunk })
    bytes += chunk?.length ?? 0
    if (bytes > UNDER_WAY) from.pause()
    if (line.length === 1 && timer === undefined && !to.writableNeedDrain) timer = setTimeout(forward, roundTrip / 2)
  }
  let order = Promise.resolve()
  from.on('data', (chunk) => {
    if (!change) add(chunk)
    else order = order.then(async () => add(await change(chunk)))
  })
  from.on('end', () => {
    if (!change) add(undefined)
    else order = order.then(() => add(undefined))
  })
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (from.errored) to.destroy()
  })
}

function join(client: Socket, port: number, control: boolean): void {
  const server = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  client.setNoDelay(true)
  server.on('error', () => client.destroy())
  client.on('error', () => server.destroy())
  delayed(client, server)
  delayed(server, client, control ? withDataPort : undefined)
}

/** `229 Entering Extended Passive Mode (|||port|)` and `227 … (127,0,0,1,high,low)`: a reply comes in one piece here. */
async function withDataPort(chunk: Buffer): Promise<Buffer> {
  const text = chunk.toString('latin1')
  const extended = /^229 .*\|\|\|(\d+)\|/m.exec(text)?.[1]
  if (extended !== undefined) {
    const port = await dataPort(Number(extended))
    return Buffer.from(text.replace(`|||${extended}|`, `|||${port}|`), 'latin1')
  }
  const passive = /^227 .*?(\d+,\d+,\d+,\d+),(\d+),(\d+)/m.exec(text)
  if (passive === null) return chunk
  const [, host = '', high, low] = passive
  const port = await dataPort(Number(high) * 256 + Number(low))
  return Buffer.from(text.replace(`${host},${high},${low}`, `${host},${port >> 8},${port & 255}`), 'latin1')
}

/** A port that takes one connection to `port`. */
async function dataPort(port: number): Promise<number> {
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    clearTimeout(timer)
    listener.close()
    join(client, port, false)
  })
  const timer = setTimeout(() => listener.close(), DATA_WAIT)
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return (listener.address() as AddressInfo).port
}

const proxy = createServer({ allowHalfOpen: true }, (client) => join(client, targetPort, ftp))
proxy.listen(0, '127.0.0.1', () => process.send?.((proxy.address() as AddressInfo).port))
process.once('disconnect', () => process.exit(0))
