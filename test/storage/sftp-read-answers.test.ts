import { expect } from 'chai'
import { takeReadAnswers, type SftpParser } from '../../src/storage/sftp/read-answers.js'

const DATA = 103
const STATUS = 101

function packet(type: number, id: number, rest: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUInt32BE(5 + rest.length)
  head[4] = type
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, rest])
}

function dataPacket(id: number, content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return packet(DATA, id, Buffer.concat([length, content]))
}

/** As ssh2: gathers packets, whose types and ids are kept. */
class Parser implements SftpParser {
  readonly _requests: SftpParser['_requests'] = {}
  readonly gathered: number[][] = []
  _pktLenBytes = 0
  _pktLen = 0
  _pktPos = 0
  #id: number[] = []

  push(data: Buffer | null): unknown {
    for (const byte of data ?? []) {
      if (this._pktLenBytes < 4) {
        this._pktLenBytes++
        this._pktLen = this._pktLen * 256 + byte
        continue
      }
      if (this._pktPos++ < 5) this.#id.push(byte)
      if (this._pktPos < this._pktLen) continue
      this.gathered.push([this.#id[0] ?? 0, this.#id[4] ?? 0])
      this.#id = []
      this._pktLenBytes = this._pktLen = this._pktPos = 0
    }
    return undefined
  }
}

describe('answers to reads over SFTP', () => {
  const first = Buffer.from('the first answer')
  const second = Buffer.from('and a second one')
  const stream = Buffer.concat([
    packet(STATUS, 1, Buffer.from('fine')),
    dataPacket(2, first),
    dataPacket(3, second),
    packet(STATUS, 4, Buffer.alloc(0)),
    dataPacket(5, Buffer.from('nobody asked')),
  ])

  function reading(): { parser: Parser; answers: string[] } {
    const parser = new Parser()
    const answers: string[] = []
    for (const id of [2, 3]) {
      const cb = (_error: undefined, buffer: Buffer, bytes: number) =>
        answers.push(`${id} ${buffer.subarray(0, bytes).toString()}`)
      parser._requests[id] = { buffer: Buffer.alloc(20), cb }
    }
    takeReadAnswers(parser)
    return { parser, answers }
  }

  it('come to their buffers and all others to ssh2, wherever the stream is cut in three', () => {
    for (let a = 0; a <= stream.length; a++) {
      for (let b = a; b <= stream.length; b++) {
        const { parser, answers } = reading()
        for (const part of [stream.subarray(0, a), stream.subarray(a, b), stream.subarray(b)]) parser.push(part)
        const others = parser.gathered.filter(([, id]) => id !== 2 && id !== 3)
        expect(others).to.deep.equal([
          [STATUS, 1],
          [STATUS, 4],
          [DATA, 5],
        ])
        const toSsh2 = parser.gathered.length - others.length
        expect(answers.length + toSsh2, `cut at ${a} and ${b}`).to.equal(2)
      }
    }
    const { parser, answers } = reading()
    parser.push(stream)
    expect(answers).to.deep.equal(['2 the first answer', '3 and a second one'])
    expect(parser._requests).to.deep.equal({})
  })

  it('are ssh2’s to judge when they are longer than what was asked for, or not as long as they say', () => {
    const { parser, answers } = reading()
    parser.push(dataPacket(2, Buffer.alloc(21)))
    const wrong = dataPacket(3, second)
    wrong.writeUInt32BE(second.length - 1, 9)
    parser.push(wrong)
    expect(answers).to.deep.equal([])
    expect(parser.gathered).to.deep.equal([
      [DATA, 2],
      [DATA, 3],
    ])
  })

  it('go nowhere once nobody waits for them', () => {
    const { parser, answers } = reading()
    const answer = dataPacket(2, first)
    parser.push(answer.subarray(0, 18))
    Reflect.deleteProperty(parser._requests, 2)
    parser.push(answer.subarray(18))
    expect(answers).to.deep.equal([])
  })
})
