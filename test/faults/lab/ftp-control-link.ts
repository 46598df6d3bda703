import { reset } from './reset.js'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { FaultProxy } from './fault-proxy.js'
import type { Action, Fault } from './injection.js'

/** One control connection of FTP through a fault proxy: line by line both ways, with its data connections. */
export class FtpControlLink {
  readonly #data = new Set<Socket>()
  readonly #listeners = new Set<Server>()
  /** Commands that came before the one ahead of them was answered: they wait for that, so that faults meet the right one. */
  #held: string[] = []
  /** The server has a command to answer. */
  #asked = false
  #withheld: Fault | undefined
  #stalled = false
  #down = Promise.resolve()
  #order = Promise.resolve()
  /** Settles when the server has had a late command. */
  #late: Promise<void> | undefined
  #answered: (() => void) | undefined

  constructor(
    private readonly proxy: FaultProxy,
    private readonly client: Socket,
    private readonly server: Socket,
  ) {
    onLines(client, (lines) => {
      this.#held.push(...lines)
      if (!this.#asked) this.#next()
    })
    onLines(server, (lines) => {
      for (const line of lines) this.#down = this.#down.then(() => this.#reply(line))
    })
    client.on('end', () => {
      if (this.#late === undefined) server.end()
      // Nothing more comes for a client of a stalled link, so that nobody else would end it.
      if (this.#stalled) client.end()
    })
    server.on('end', () => {
      if (!this.#stalled) void this.#down.then(() => client.end())
    })
    client.once('close', () => {
      if (this.#late === undefined) this.#close(server)
      else void this.#late.then(() => this.#close(server))
    })
    server.once('close', () => {
      this.#answered?.()
      if (!this.#stalled) void this.#down.then(() => this.#close(client))
    })
    client.on('error', () => {
      if (this.#late === undefined) reset(server)
    })
    server.on('error', () => reset(client))
  }

  #close(other: Socket): void {
    if (!other.writableEnded) other.destroy()
    for (const server of this.#listeners) server.close()
  }

  #next(): void {
    this.#asked = false
    const line = this.#held.shift()
    if (line !== undefined) this.#command(line)
  }

  #command(line: string): void {
    if (this.#stalled) return
    this.#asked = true
    const fault = this.proxy.commands.judge(line.split(' ', 1)[0]?.toUpperCase() ?? '', line)
    const forward = () => this.#write(this.server, line)
    if (fault === undefined) {
      this.#order = this.#order.then(forward)
    } else if (fault.action.kind === 'late') {
      const { ms } = fault.action
      this.#stalled = true
      this.#late = this.#order.then(() => this.#deliver(ms, line))
      this.proxy.commands.late.push(this.#late)
    } else if (fault.action.kind === 'delay') {
      const { ms } = fault.action
      this.#order = this.#order.then(() => new Promise<void>((resolve) => setTimeout(resolve, ms))).then(forward)
    } else if (fault.action.kind === 'answer' && /^RNTO /i.test(line)) {
      // proftpd refuses everything between RNFR and RNTO: let it refuse the second itself.
      this.#withheld = { ...fault, at: 'end' }
      this.#write(this.server, 'RNTO /no/such/folder/x')
    } else if (fault.at === 'before') {
      this.#act(fault.action)
      this.#next()
    } else {
      this.#withheld = fault
      forward()
    }
  }

  /** Resolves when the server has answered, or is gone. */
  async #deliver(ms: number, line: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms))
    if (!this.server.writable) return
    const answered = new Promise<void>((resolve) => (this.#answered = resolve))
    this.#write(this.server, line)
    await answered
  }

  async #reply(line: string): Promise<void> {
    if (/^[2-5]\d\d /.test(line)) this.#answered?.()
    if (this.#stalled) return
    const { delay } = this.proxy.shape
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay))
    if (this.#withheld !== undefined) {
      const preliminary = line.startsWith('1')
      if (!preliminary || this.#withheld.at === 'reply') {
        if (!/^\d{3} /.test(line)) return
        const { action } = this.#withheld
        this.#withheld = undefined
        this.#act(action)
        if (!preliminary) this.#next()
        return
      }
    }
    this.#write(this.client, await this.#withOwnPort(line))
    if (/^[2-5]\d\d /.test(line)) this.#next()
  }

  #act(action: Action): void {
    switch (action.kind) {
      case 'stall':
        this.#stalled = true
        return
      case 'reset':
        this.#stalled = true
        for (const socket of [this.client, this.server, ...this.#data]) reset(socket)
        return
      case 'fin':
        this.client.end()
        return
      case 'answer':
        this.#write(this.client, action.reply)
        if (action.reply.startsWith('421')) this.client.end()
        return
      case 'delay':
      case 'late':
        return
    }
  }

  async #withOwnPort(line: string): Promise<string> {
    const extended = /^229 .*\(\|\|\|(\d+)\|\)/.exec(line)
    if (extended !== null) return `229 Entering Extended Passive Mode (|||${await this.#listen(Number(extended[1]))}|)`
    const passive = /^227 .*\((\d+,\d+,\d+,\d+),(\d+),(\d+)\)/.exec(line)
    if (passive === null) return line
    const port = await this.#listen(Number(passive[2]) * 256 + Number(passive[3]))
    return `227 Entering Passive Mode (127,0,0,1,${port >> 8},${port & 255}).`
  }

  /** @returns a port that leads to `port` of the server */
  async #listen(port: number): Promise<number> {
    if (this.proxy.foreignDataPort !== undefined) return this.proxy.foreignDataPort
    const listener = await this.proxy.listen((client) => {
      listener.close()
      this.#listeners.delete(listener)
      const server = this.proxy.dial(port)
      for (const socket of [client, server]) {
        this.#data.add(socket)
        socket.once('close', () => this.#data.delete(socket))
      }
      this.proxy.join('data', client, server)
      if (this.proxy.frozen) for (const socket of [client, server]) socket.pause()
    })
    this.#listeners.add(listener)
    return (listener.address() as AddressInfo).port
  }

  #write(socket: Socket, line: string): void {
    if (socket.writable) socket.write(line + '\r\n', 'latin1')
  }
}

function onLines(socket: Socket, take: (lines: readonly string[]) => void): void {
  let unfinished = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (unfinished + chunk.toString('latin1')).split('\r\n')
    unfinished = lines.pop() ?? ''
    take(lines)
  })
}
