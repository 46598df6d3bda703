import { expect } from 'chai'
import { DavGateway } from '../dav-gateway.js'

for (const method of ['COPY', 'MOVE'] as const) {
  describe(`dav ${method}`, () => {
    const gateway = new DavGateway({
      publicUrl: 'https://drive.example/',
      trustProxy: (address) => address === '127.0.0.1',
    })
    before(() => gateway.start())
    after(() => gateway.stop())

    const run = (from: string, headers: Record<string, string>, user = 'user1') =>
      gateway.send(method, `/dav/server2${from}`, { headers, user })
    const to = (path: string) => ({ destination: `/dav/server2${path}` })

    function expectSource(path: string, content: string): void {
      expect(gateway.content(path)).to.equal(method === 'MOVE' ? undefined : content)
    }

    it('answers 201 for a new target and 204 for a replaced one; a missing Overwrite is T', async () => {
      gateway.store('/a', 'one')
      expect((await run('/a', to('/b'))).status).to.equal(201)
      expect(gateway.content('/b')).to.equal('one')
      expectSource('/a', 'one')
      gateway.store('/a', 'two')
      expect((await run('/a', to('/b'))).status).to.equal(204)
      expect(gateway.content('/b')).to.equal('two')
    })

    it('answers 412 to Overwrite: F on what is there, and changes nothing', async () => {
      gateway.store('/s', 'source')
      gateway.store('/t', 'target')
      expect((await run('/s', { ...to('/t'), overwrite: 'F' })).status).to.equal(412)
      expect((await run('/s', { ...to('/t'), overwrite: 'X' })).status).to.equal(400)
      expect([gateway.content('/s'), gateway.content('/t')]).to.deep.equal(['source', 'target'])
    })

    it('takes a folder with all that is in it, over a file and over a folder', async () => {
      gateway.folder('/tree')
      gateway.folder('/tree/sub')
      gateway.store('/tree/sub/x', 'deep')
      gateway.folder('/old')
      gateway.store('/old/gone', '')
      expect((await run('/tree/', to('/old/'))).status).to.equal(204)
      expect(gateway.names('/old')).to.deep.equal(['sub'])
      expect(gateway.content('/old/sub/x')).to.equal('deep')
      gateway.store('/file', 'x')
      expect((await run('/old', to('/file'))).status).to.equal(204)
      expect(gateway.content('/file/sub/x')).to.equal('deep')
    })

    const destinations: [string, Record<string, string>, number][] = [
      ['its own host', { destination: 'http://HOST/dav/server2/dest' }, 201],
      ['its own host behind TLS on another port', { destination: 'https://127.0.0.1:8443/dav/server2/dest' }, 201],
      ['the public URL', { destination: 'https://drive.example/dav/server2/dest' }, 201],
      [
        'the host that the trusted proxy was asked for',
        { 'x-forwarded-host': 'files.example', destination: 'https://files.example/dav/server2/dest' },
        201,
      ],
      ['a path', { destination: '/dav/server2/dest' }, 201],
      ['none', {}, 400],
      ['an empty one', { destination: '' }, 400],
      ['a relative one', { destination: 'x' }, 400],
      ['user information', { destination: 'http://u@127.0.0.1/dav/server2/dest' }, 400],
      ['a fragment', { destination: '/dav/server2/dest#x' }, 400],
      ['a broken escape', { destination: '/dav/%E0%A4%A' }, 400],
      ['an escaped slash', { destination: '/dav/server2%2Fdest' }, 400],
      ['another host', { destination: 'http://evil.example/dav/server2/dest' }, 502],
      ['another place on this host', { destination: '/files/dest' }, 502],
      ['a server that is not there', { destination: '/dav/nosuchserver/dest' }, 404],
      ['a missing parent', { destination: '/dav/server2/no/dest' }, 409],
      ['a read-only server', { destination: '/dav/archive/dest' }, 403],
      ['the drive itself', { destination: '/dav/' }, 403],
      ['a server folder', { destination: '/dav/server2' }, 403],
      ['the source', { destination: '/dav/server2/src' }, 403],
      ['a place inside the source', { destination: '/dav/server2/src/x' }, 403],
    ]
    for (const [name, headers, status] of destinations) {
      it(`answers ${status} to a Destination with ${name}`, async () => {
        gateway.store('/src', 'kept')
        if (gateway.content('/dest') !== undefined) await gateway.send('DELETE', '/dav/server2/dest')
        const sent = Object.fromEntries(
          Object.entries(headers).map(([key, value]) => [key, value.replace('HOST', `127.0.0.1:${gateway.port}`)]),
        )
        const answer = await run('/src', sent)
        expect(answer.status).to.be.oneOf(name === 'a place inside the source' ? [403, 409] : [status])
        if (status !== 201) expect(gateway.content('/src')).to.equal('kept')
        expect(gateway.content('/dest')).to.equal(status === 201 ? 'kept' : undefined)
      })
    }

    it('never puts a folder into itself, nor over the folder that holds it', async () => {
      gateway.folder('/outer')
      gateway.folder('/outer/inner')
      gateway.store('/outer/inner/x', 'kept')
      expect((await run('/outer', to('/outer/inner/new'))).status).to.equal(403)
      expect((await run('/outer/inner', to('/outer'))).status).to.equal(403)
      expect(gateway.content('/outer/inner/x')).to.equal('kept')
    })

    it('goes to another server only where it may write there', async () => {
      gateway.store('/stay', 'kept')
      expect((await run('/stay', { destination: '/dav/archive/x' })).status).to.equal(403)
      gateway.archive.tree.open('/old/book', { exclusive: false, mode: undefined })
      gateway.archive.tree.append('/old/book', Buffer.from('archived'))
      const answer = await gateway.send(method, '/dav/archive/book', { headers: to('/book') })
      expect(answer.status).to.equal(method === 'COPY' ? 201 : 403)
      if (method === 'COPY') expect(gateway.content('/book')).to.equal('archived')
      expect(gateway.archive.tree.has('/old/book')).to.equal(true)
    })

    it('wants the token of a locked target, and of a locked source only to move it', async () => {
      gateway.store('/ls', 's')
      gateway.store('/lt', 't')
      const source = await gateway.lock('/dav/server2/ls')
      expect((await run('/ls', to('/free'))).status).to.equal(method === 'MOVE' ? 423 : 201)
      const target = await gateway.lock('/dav/server2/lt')
      expect((await run('/ls', { ...to('/lt'), if: `(<${source}>)` })).status).to.equal(423)
      const both = `</dav/server2/ls> (<${source}>) </dav/server2/lt> (<${target}>)`
      expect((await run('/ls', { ...to('/lt'), if: both })).status).to.equal(204)
      expect(gateway.content('/lt')).to.equal('s')
    })

    it('takes the token of the source alone when the target is free (Excel saves so)', async () => {
      gateway.store('/~tmp', 'new')
      gateway.store('/book.xlsx', 'old')
      const token = await gateway.lock('/dav/server2/~tmp')
      expect((await run('/~tmp', { ...to('/book.xlsx'), if: `(<${token}>)` })).status).to.equal(204)
      expect(gateway.content('/book.xlsx')).to.equal('new')
    })

    it('leaves locks behind', async () => {
      gateway.store('/held', 'x')
      const token = await gateway.lock('/dav/server2/held')
      await run('/held', { ...to('/unheld'), if: `(<${token}>)` })
      expect((await gateway.send('PUT', '/dav/server2/unheld', { body: 'free' })).status).to.equal(204)
    })

    it('judges If-Match on the source', async () => {
      gateway.store('/cond', 'x')
      expect((await run('/cond', { ...to('/cond2'), 'if-match': '"other"' })).status).to.equal(412)
      const { headers } = await gateway.send('HEAD', '/dav/server2/cond')
      expect((await run('/cond', { ...to('/cond2'), 'if-match': String(headers.etag) })).status).to.equal(201)
    })

    it(method === 'COPY' ? 'copies a folder without members at Depth: 0' : 'moves a folder only whole', async () => {
      gateway.folder('/shallow')
      gateway.store('/shallow/x', '')
      const answer = await run('/shallow', { ...to('/flat'), depth: '0' })
      expect(answer.status).to.equal(method === 'COPY' ? 201 : 400)
      expect(gateway.names('/shallow')).to.deep.equal(['x'])
      if (method === 'COPY') expect(gateway.names('/flat')).to.deep.equal([])
      expect((await run('/shallow', { ...to('/flat2'), depth: '1' })).status).to.equal(400)
    })

    it('answers 404 for a source that is not there', async () => {
      expect((await run('/nothing', to('/x'))).status).to.equal(404)
    })
  })
}
