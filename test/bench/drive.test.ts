import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { answersBrokenOff, Client, patiently, type Drive } from '../../bench/drive.js'

describe('bench: an answer that is broken off', () => {
  let server: Server
  let left: number
  const sockets = new Set<Socket>()

  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('data', () => {
        const head = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'
        if (left-- > 0) socket.end(`${head}ab`)
        else socket.write(`${head}abcd`)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })

  const driveOf = (name: Drive['name']): Drive => ({
    name,
    port: (server.address() as AddressInfo).port,
    prefix: '/',
    pid: process.pid,
    authorization: () => 'Basic -',
    end: () => Promise.resolve(),
    serve: () => Promise.resolve(),
    lastWords: () => Promise.resolve(''),
  })
  const get = async (drive: Drive) => {
    const client = new Client(drive)
    const answer = await patiently(drive, () => client.send({ method: 'GET', path: '/' }, 200))
    client.close()
    return answer.body.toString()
  }

  it('is asked for again of rclone, and counted', async () => {
    const drive = driveOf('rclone')
    left = 2
    expect(await get(drive)).to.equal('abcd')
    expect(answersBrokenOff(drive)).to.equal(2)
  })

  it('is an error when rclone breaks it off each time', async () => {
    const drive = driveOf('rclone')
    left = 5
    const error: unknown = await get(drive).catch((error: unknown) => error)
    expect(error).to.be.an('error').with.property('message').that.contains('before the answer was complete')
    expect(left).to.equal(0)
  })

  it('is an error of the gateway at once', async () => {
    const drive = driveOf('ftpcluster')
    left = 1
    const error: unknown = await get(drive).catch((error: unknown) => error)
    expect(error).to.be.an('error').with.property('message').that.contains('before the answer was complete')
    expect(answersBrokenOff(drive)).to.equal(0)
  })
})
