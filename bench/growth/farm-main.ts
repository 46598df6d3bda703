/**
 * A process with many small FTP servers, of which one never says a word. Started by `farm.ts` with the folder that all of
 * them show, the number of servers and the number of logins at each.
 */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { startEmbeddedFtpServer } from '../../src/demo/embedded-ftp-server.js'
import { farmLogin } from './farm.js'

const [root = '', servers = '', logins = ''] = process.argv.slice(2)
const users = Array.from({ length: Number(logins) }, (_, n) => ({ ...farmLogin(n), root }))
const ports: number[] = []
for (let n = 0; n < Number(servers); n++) ports.push((await startEmbeddedFtpServer({ users })).port)

const silent = createServer((socket) => socket.on('error', () => socket.destroy()))
silent.listen(0, '127.0.0.1')
await once(silent, 'listening')
process.send?.({ ports, silent: (silent.address() as AddressInfo).port })
process.once('disconnect', () => process.exit(0))
