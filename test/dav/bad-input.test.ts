import { expect } from 'chai'
import { connect } from 'node:net'
import { once } from 'node:events'
import { DavGateway, basic, lockInfo } from './dav-gateway.js'

/** One raw request, and the statuses it may get. */
interface Case {
  readonly name: string
  /** Request line without the version. */
  readonly line: string
  readonly headers?: readonly string[]
  readonly body?: string | Buffer
  readonly status: readonly number[]
  readonly anonymous?: boolean
}

const D = '/dav/server2'
const xml = (text: string) => ({ body: text, headers: ['Content-Type: application/xml', 'Depth: 0'] })

const CASES: readonly Case[] = [
  // B1
  { name: 'a broken escape, not logged in', line: 'GET /dav/%E0%A4%A', anonymous: true, status: [401] },
  { name: 'a broken escape', line: 'GET /dav/%E0%A4%A', status: [400] },
  { name: 'a broken escape in PROPFIND', line: `PROPFIND ${D}/%zz`, status: [400] },
  { name: 'invalid UTF-8', line: `GET ${D}/%ff%fe`, status: [400] },
  { name: 'an absolute URL that is none', line: 'GET http://[::/', status: [400] },
  { name: 'an absolute URL', line: `GET http://any.example${D}/kept`, status: [200] },
  // B2
  { name: 'escaped slashes that climb', line: `GET ${D}/..%2f..%2fetc/passwd`, status: [400] },
  { name: 'escaped dots that climb', line: `GET ${D}/%2e%2e/%2e%2e/etc/passwd`, status: [400] },
  { name: 'plain dots that climb', line: `GET ${D}/../../etc/passwd`, status: [400] },
  { name: 'backslashes that climb', line: `GET ${D}/..%5c..%5cetc`, status: [400] },
  { name: 'four dots', line: `GET ${D}/....//x`, status: [404] },
  { name: 'a double escape is a name', line: `GET ${D}/%252e%252e%252fkept`, status: [404] },
  // B3, B4, B5
  { name: 'NUL in a name', line: `PUT ${D}/a%00b`, body: 'x', status: [400] },
  { name: 'CR and LF in a name', line: `PUT ${D}/x%0d%0aDELE%20kept`, body: 'x', status: [400] },
  { name: 'LF in the name of a folder', line: `MKCOL ${D}/x%0aRMD%20folder`, status: [400] },
  { name: 'CR in a Destination', line: `MOVE ${D}/kept`, headers: [`Destination: ${D}/x%0d%0aDELE`], status: [400] },
  { name: 'a raw NUL', line: `GET ${D}/a\u0000b`, status: [400] },
  { name: 'DEL in a name', line: `PUT ${D}/a%7fb`, body: 'x', status: [400] },
  // B7
  { name: 'a segment of 256 bytes', line: `PUT ${D}/${'a'.repeat(256)}`, body: 'x', status: [400, 414] },
  { name: 'a path of 5 KiB', line: `PUT ${D}/${'a/'.repeat(2560)}x`, body: 'x', status: [400, 414] },
  { name: '200 segments', line: `PUT ${D}${'/a'.repeat(200)}`, body: 'x', status: [400, 414] },
  { name: 'a path of 13 KiB', line: `GET ${D}/${'%41'.repeat(4400)}`, status: [400, 414, 431] },
  // B11, B12, B13
  { name: 'PUT onto a server folder', line: `PUT ${D}`, body: 'x', status: [403, 405] },
  { name: 'DELETE of a server folder', line: `DELETE ${D}`, status: [403] },
  { name: 'MOVE of a server folder', line: `MOVE ${D}`, headers: ['Destination: /dav/other'], status: [403, 404] },
  { name: 'DELETE of the drive', line: 'DELETE /dav/', status: [403] },
  { name: 'DELETE of the root', line: 'DELETE /', status: [403] },
  { name: 'a server that is not there', line: 'PUT /dav/nosuchserver/x', body: 'x', status: [404] },
  { name: 'PUT to a URL with a slash at its end', line: `PUT ${D}/folder/`, body: 'x', status: [405] },
  { name: 'MKCOL on a file', line: `MKCOL ${D}/kept`, status: [405] },
  // B17, B18, B19
  {
    name: 'PUT of a part',
    line: `PUT ${D}/kept`,
    headers: ['Content-Range: bytes 0-4/10'],
    body: 'xxxxx',
    status: [400],
  },
  {
    name: 'PUT with an encoding',
    line: `PUT ${D}/kept`,
    headers: ['Content-Encoding: gzip'],
    body: 'x',
    status: [415],
  },
  { name: 'Expect with something else', line: `PUT ${D}/kept`, headers: ['Expect: foo'], body: 'x', status: [417] },
  // B21, B23, B24
  {
    name: 'If-None-Match: * on a file',
    line: `PUT ${D}/kept`,
    headers: ['If-None-Match: *'],
    body: 'x',
    status: [412],
  },
  {
    name: 'If-Match with another ETag',
    line: `PUT ${D}/kept`,
    headers: ['If-Match: "wrong"'],
    body: 'x',
    status: [412],
  },
  {
    name: 'a token that nobody gave',
    line: `PUT ${D}/kept`,
    headers: ['If: (<opaquelocktoken:bogus>)'],
    body: 'x',
    status: [412],
  },
  { name: '10 KB of brackets in If', line: `DELETE ${D}/kept`, headers: [`If: ${'('.repeat(10_000)}`], status: [400] },
  { name: '2,000 conditions in If', line: `DELETE ${D}/kept`, headers: [`If: (${'<a>'.repeat(2000)})`], status: [400] },
  {
    name: 'a tag of another host and another file',
    line: `DELETE ${D}/kept`,
    headers: ['If: <http://evil.example/x> (<urn:a>)'],
    status: [412],
  },
  // B25
  { name: 'MKCOL with a body', line: `MKCOL ${D}/new`, body: '<x/>', status: [415] },
  { name: 'MKCOL without a parent', line: `MKCOL ${D}/no/new`, status: [409] },
  // B26, B27, B28, B29
  { name: 'MOVE without a Destination', line: `MOVE ${D}/kept`, status: [400] },
  {
    name: 'a Destination of another host',
    line: `MOVE ${D}/kept`,
    headers: ['Destination: http://evil.example/dav/server2/x'],
    status: [502],
  },
  {
    name: 'two Destinations',
    line: `MOVE ${D}/kept`,
    headers: [`Destination: ${D}/a`, `Destination: ${D}/b`],
    status: [400],
  },
  { name: 'a broken Destination', line: `COPY ${D}/kept`, headers: ['Destination: /dav/%E0%A4%A'], status: [400] },
  { name: 'MOVE onto itself', line: `MOVE ${D}/kept`, headers: [`Destination: ${D}/kept`], status: [403] },
  { name: 'MOVE into itself', line: `MOVE ${D}/folder`, headers: [`Destination: ${D}/folder/x`], status: [403, 409] },
  {
    name: 'Overwrite: X',
    line: `MOVE ${D}/kept`,
    headers: [`Destination: ${D}/folder`, 'Overwrite: X'],
    status: [400],
  },
  // B32
  { name: 'DELETE of a folder with Depth 0', line: `DELETE ${D}/folder`, headers: ['Depth: 0'], status: [400] },
  // B34
  { name: 'PROPFIND Depth: infinity', line: `PROPFIND ${D}/`, headers: ['Depth: infinity'], status: [403] },
  { name: 'PROPFIND Depth: 7x', line: `PROPFIND ${D}/`, headers: ['Depth: 7x'], status: [400] },
  { name: 'PROPFIND Depth: -1', line: `PROPFIND ${D}/`, headers: ['Depth: -1'], status: [400] },
  { name: 'two Depth headers', line: `PROPFIND ${D}/`, headers: ['Depth: 0', 'Depth: 1'], status: [400] },
  // B35, B36, B37, B38
  { name: 'half an element', line: `PROPFIND ${D}/`, ...xml('<a><b'), status: [400] },
  { name: 'a body of one byte', line: `PROPFIND ${D}/`, ...xml('x'), status: [400] },
  {
    name: 'UTF-16',
    line: `PROPFIND ${D}/`,
    headers: ['Depth: 0'],
    body: Buffer.from('\ufeff<propfind xmlns="DAV:"><allprop/></propfind>', 'utf16le'),
    status: [207],
  },
  {
    name: 'ISO-8859-1',
    line: `PROPFIND ${D}/`,
    ...xml('<?xml version="1.0" encoding="ISO-8859-1"?><propfind xmlns="DAV:"><allprop/></propfind>'),
    status: [207, 415],
  },
  {
    name: 'a billion laughs',
    line: `PROPFIND ${D}/`,
    ...xml('<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><propfind xmlns="DAV:"><prop>&c;</prop></propfind>'),
    status: [400],
  },
  {
    name: 'an external entity',
    line: `PROPPATCH ${D}/kept`,
    ...xml(
      '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><propertyupdate xmlns="DAV:"><set><prop><x>&a;</x></prop></set></propertyupdate>',
    ),
    status: [400],
  },
  {
    name: 'a parameter entity',
    line: `PROPFIND ${D}/`,
    ...xml('<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/"> %a;]><propfind xmlns="DAV:"/>'),
    status: [400],
  },
  { name: '9,000 nested elements', line: `PROPFIND ${D}/`, ...xml('<a>'.repeat(9000)), status: [400] },
  { name: '64 KB of <', line: `PROPFIND ${D}/`, ...xml('<'.repeat(65_000)), status: [400] },
  {
    name: '5,000 attributes',
    line: `PROPFIND ${D}/`,
    ...xml(`<a ${Array.from({ length: 5000 }, (_, i) => `b${i}=""`).join(' ')}/>`),
    status: [400],
  },
  { name: '1 MB of XML', line: `PROPFIND ${D}/`, ...xml('x'.repeat(1_000_000)), status: [413] },
  {
    name: 'chunked XML',
    line: `PROPFIND ${D}/`,
    headers: ['Depth: 0', 'Transfer-Encoding: chunked'],
    body: '2c\r\n<propfind xmlns="DAV:"><allprop/></propfind>\r\n0\r\n\r\n',
    status: [207],
  },
  // B40, B41, B42
  {
    name: 'a protected property',
    line: `PROPPATCH ${D}/kept`,
    ...xml(
      '<propertyupdate xmlns="DAV:"><set><prop><getcontentlength>1</getcontentlength></prop></set></propertyupdate>',
    ),
    status: [207],
  },
  { name: 'LOCK with Timeout: -1', line: `LOCK ${D}/kept`, headers: ['Timeout: -1'], body: lockInfo(), status: [400] },
  { name: 'LOCK with Depth: 1', line: `LOCK ${D}/kept`, headers: ['Depth: 1'], body: lockInfo(), status: [400] },
  {
    name: 'LOCK with an owner of 60 KB',
    line: `LOCK ${D}/kept`,
    body: lockInfo('exclusive', `<D:owner>${'o'.repeat(60_000)}</D:owner>`),
    status: [413],
  },
  { name: 'UNLOCK without a token', line: `UNLOCK ${D}/kept`, status: [400] },
  { name: 'UNLOCK with an unknown token', line: `UNLOCK ${D}/kept`, headers: ['Lock-Token: <urn:x>'], status: [409] },
  // B44
  ...[
    'bytes=5-2',
    'bytes=a-b',
    `bytes=${'0-0,'.repeat(500)}0-0`,
    'bytes=-0',
    'bytes=999999-',
    'bytes=0-18446744073709551616',
    'items=0-1',
  ].map((range): Case => ({
    name: `Range: ${range.slice(0, 30)}`,
    line: `GET ${D}/kept`,
    headers: [`Range: ${range}`],
    status: [200, 206, 416],
  })),
  // B45
  { name: 'POST', line: `POST ${D}/kept`, body: 'x', status: [405] },
  { name: 'PATCH', line: `PATCH ${D}/kept`, body: 'x', status: [405] },
  { name: 'TRACE', line: `TRACE ${D}/kept`, status: [405] },
  { name: 'FOO', line: `FOO ${D}/kept`, status: [400, 405] },
  { name: 'a method in lower case', line: `propfind ${D}/kept`, status: [400, 405] },
  { name: 'a method in a header', line: `GET ${D}/kept`, headers: ['X-HTTP-Method-Override: DELETE'], status: [200] },
  {
    name: 'two Authorization headers',
    line: `GET ${D}/kept`,
    headers: [`Authorization: ${basic('user2')}`],
    status: [400],
  },
  { name: 'a number sign', line: `DELETE ${D}/folder/#x`, status: [400] },
  { name: 'a query', line: `GET ${D}/kept?x=%zz`, status: [200] },
]

describe('dav: bad input gets its status, changes nothing, and the process lives', () => {
  const gateway = new DavGateway()
  before(async () => {
    await gateway.start()
    gateway.store('/kept', 'kept')
    gateway.folder('/folder')
  })
  after(() => gateway.stop())

  async function raw(bad: Case): Promise<string> {
    const { line, headers = [], body = '', anonymous } = bad
    const login = anonymous ? [] : [`Authorization: ${basic('user1')}`]
    const framed = headers.some((header) => /^transfer-encoding/i.test(header))
    const length = framed ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
    const socket = connect(gateway.port, '127.0.0.1')
    let received = ''
    socket.on('data', (data) => (received += data.toString('latin1')))
    socket.on('error', () => undefined)
    const head = [`${line} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...login, ...length, ...headers]
    socket.write(head.join('\r\n') + '\r\n\r\n')
    socket.write(body)
    await once(socket, 'close')
    return received
  }

  for (const bad of CASES) {
    it(`${bad.name}: ${bad.status.join(' or ')}`, async () => {
      const before = [gateway.names(), gateway.names('/folder')]
      const received = await raw(bad)
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1])
      expect(bad.status, received.slice(0, 400)).to.include(status)
      if (status >= 400) {
        expect([gateway.names(), gateway.names('/folder')]).to.deep.equal(before)
        expect(gateway.content('/kept')).to.equal('kept')
      }
      expect(received).not.to.match(/at .+\.[jt]s:\d+|root:x:/)
      expect((await gateway.send('OPTIONS', '/dav/')).status).to.equal(200)
    })
  }

  it('an announced body of 99,999,999,999 bytes is refused before it comes', async () => {
    const socket = connect(gateway.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(
      `PROPFIND ${D}/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nContent-Length: 99999999999\r\n\r\n`,
    )
    const [data] = (await once(socket, 'data')) as [Buffer]
    expect(data.toString()).to.match(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  it('no input was a surprise: nothing was answered 500', () => {
    expect(gateway.lines.filter((line) => line.level >= 50)).to.deep.equal([])
  })
})
