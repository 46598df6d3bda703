// Stands for sftp-server in `Subsystem sftp`: runs the real one and leads both directions through the test process, which
// may act on every request. Arguments: port of the test process, the real program and its arguments.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { pipeline } from 'node:stream'
import process from 'node:process'

const [port, program, ...args] = process.argv.slice(2)
const server = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const name = `${process.pid} ${process.getuid()}`.padEnd(16)
const end = () => {
  server.kill('SIGKILL')
  process.exit(1)
}
server.once('exit', () => process.exit(0))

const through = (direction, from, to) => {
  const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true, noDelay: true })
  socket.on('error', end)
  socket.once('connect', () => {
    socket.write(direction + name)
    pipeline(from, socket, () => undefined)
  })
  pipeline(socket, to, () => undefined)
}
through('u', process.stdin, server.stdin)
through('d', server.stdout, process.stdout)
