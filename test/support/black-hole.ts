import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface BlackHole {
  readonly port: number
  stop(): Promise<void>
}

/**
 * A port of 127.0.0.1 that swallows connects: a stopped process listens there with a full backlog, so that the kernel drops
 * every further SYN. Nobody answers and nobody refuses.
 */
export async function startBlackHole(): Promise<BlackHole> {
  const program = `require('net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, function () {
    console.log(this.address().port); process.kill(process.pid, 'SIGSTOP') })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const port = Number(line)
  const fillers: Socket[] = []
  // Connects until one is not answered any more: then the backlog is full.
  for (let full = false; !full && fillers.length < 64;) {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => {})
    fillers.push(socket)
    full = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
    ])
  }
  return {
    port,
    async stop() {
      for (const socket of fillers) socket.destroy()
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
