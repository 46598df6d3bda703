import { expect } from 'chai'
import fc from 'fast-check'
import { clientOf } from '../../src/dav/client.js'
import { parseDepth } from '../../src/dav/depth.js'
import { hostOf, parseDestination } from '../../src/dav/destination.js'
import { parseOverwrite } from '../../src/dav/overwrite.js'
import { parseTimeout } from '../../src/dav/timeout.js'
import { HttpError } from '../../src/http/errors.js'

function statusOf(work: () => unknown): number {
  try {
    work()
  } catch (error) {
    if (error instanceof HttpError) return error.status
    throw error
  }
  return 200
}

describe('dav/depth', () => {
  it('is 0, 1 or infinity in any case, or absent', () => {
    expect(['0', '1', 'infinity', 'Infinity', ' 1 ', undefined].map(parseDepth)).to.deep.equal([
      '0',
      '1',
      'infinity',
      'infinity',
      '1',
      undefined,
    ])
  })
  for (const depth of ['', '2', '-1', '7x', '0, 1', '1,noroot', '00', 'infinite', '1.0']) {
    it(`answers 400 to ${JSON.stringify(depth)}`, () => expect(statusOf(() => parseDepth(depth))).to.equal(400))
  }
})

describe('dav/overwrite', () => {
  it('is T when absent', () => {
    expect([undefined, 'T', 't', 'F', 'f'].map(parseOverwrite)).to.deep.equal([true, true, true, false, false])
  })
  for (const value of ['X', '', 'true', 'T, F']) {
    it(`answers 400 to ${JSON.stringify(value)}`, () => expect(statusOf(() => parseOverwrite(value))).to.equal(400))
  }
})

describe('dav/timeout', () => {
  const table: [string | undefined, number][] = [
    [undefined, 3600],
    ['Infinite', 3600],
    ['Second-600', 600],
    ['second-600', 600],
    ['Second-99999999999', 3600],
    ['Infinite, Second-4100000000', 3600],
    ['Second-60, Infinite', 60],
    ['Second-0', 1],
  ]
  for (const [header, seconds] of table) {
    it(`${header ?? 'absent'} grants ${seconds} s of at most 3600`, () =>
      expect(parseTimeout(header, 3600)).to.equal(seconds))
  }
  for (const header of ['', '-1', 'Second--1', 'Second-', 'Second-1.5', 'Minute-5', 'Second-60,', '3600']) {
    it(`answers 400 to ${JSON.stringify(header)}`, () =>
      expect(statusOf(() => parseTimeout(header, 3600))).to.equal(400))
  }
  it('grants between 1 second and the most for any wish, or answers 400', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat().map((n) => `Second-${n}`),
        ),
        (header) => {
          const status = statusOf(() => expect(parseTimeout(header, 3600)).to.be.within(1, 3600))
          expect(status).to.be.oneOf([200, 400])
        },
      ),
      { seed: 1, numRuns: 500 },
    )
  })
})

describe('dav/destination', () => {
  const hosts = new Set(['drive.example', '[::1]', '127.0.0.1'])
  const good: [string, string][] = [
    ['http://drive.example/dav/a/b', '/a/b'],
    ['https://drive.example:8443/dav/a/b', '/a/b'],
    ['HTTPS://Drive.Example./dav/a', '/a'],
    ['http://[::1]:80/dav/a', '/a'],
    ['http://127.0.0.1/dav/a%20b%23%3F%26', '/a b#?&'],
    ['/dav/a/b/', '/a/b'],
    ['/dav//a///b', '/a/b'],
    [' /dav/a ', '/a'],
    ['/dav/\u00c3\u00a9', '/é'],
    ['/dav', '/'],
  ]
  for (const [header, path] of good) {
    it(`${header} is ${path}`, () => expect(parseDestination(header, hosts)).to.equal(path))
  }
  const bad: [string | undefined, number][] = [
    [undefined, 400],
    ['', 400],
    ['  ', 400],
    ['x', 400],
    ['dav/x', 400],
    ['../x', 400],
    ['//evil.example/dav/x', 400],
    ['http:///dav/x', 400],
    ['http://user@drive.example/dav/x', 400],
    ['http://user:pw@drive.example/dav/x', 400],
    ['/dav/a#b', 400],
    ['/dav/a?b', 400],
    ['http://drive.example/dav/a#', 400],
    ['/dav/%zz', 400],
    ['/dav/%E0%A4%A', 400],
    ['/dav/a%2fb', 400],
    ['/dav/a%00', 400],
    ['/dav/a/../b', 400],
    ['/dav/..', 400],
    ['http://evil.example/dav/x', 502],
    ['http://drive.example.evil.example/dav/x', 502],
    ['http://drive.example:x/dav/x', 502],
    ['http://drive.example\\@evil.example/dav/x', 400],
    ['/other/x', 502],
    ['/davenport/x', 502],
    ['/', 502],
    ['http://drive.example', 502],
  ]
  for (const [header, status] of bad) {
    it(`answers ${status} to ${header ?? 'no header'}`, () => {
      expect(statusOf(() => parseDestination(header, hosts))).to.equal(status)
    })
  }
  it('gives a path in the tree or a 4xx or 502, for anything', () => {
    const piece = fc.constantFrom(
      '/',
      'dav',
      '%2e',
      '..',
      '%',
      'a',
      'http://',
      'drive.example',
      '@',
      '#',
      '?',
      '\\',
      '%00',
      ':',
      '[',
      'é',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const status = statusOf(() => {
          const path = parseDestination(pieces.join(''), hosts)
          expect(path).to.match(/^\//)
          expect(path.split('/')).not.to.include('..')
        })
        expect(status).to.be.oneOf([200, 400, 414, 502])
      }),
      { seed: 2, numRuns: 1000 },
    )
  })
  it('compares hosts without port, case and trailing dot', () => {
    expect(['A.example:80', 'a.example.', '[::1]:8080', 'a b', 'a/b', 'u@a', undefined].map(hostOf)).to.deep.equal([
      'a.example',
      'a.example',
      '[::1]',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('dav/client', () => {
  const table: [string | undefined, string, boolean][] = [
    ['Microsoft-WebDAV-MiniRedir/10.0.19045', 'case-insensitive', true],
    ['WebDAVFS/3.0.0 (03008000) Darwin/23.6.0 (arm64)', 'unicode', true],
    ['WebDAVFS/3.0.0 (03008000) Darwin/24.3.0 (arm64)', 'unicode', true],
    ['WebDAVFS/3.0.0 (03008000) Darwin/24.4.0 (arm64)', 'unicode', false],
    ['WebDAVFS/3.0.0 (03008000) Darwin/25.0.0 (arm64)', 'unicode', false],
    ['rclone/v1.68', 'exact', true],
    [undefined, 'exact', true],
  ]
  for (const [agent, names, quota] of table) {
    it(`${agent ?? 'no User-Agent'}: names ${names}, quota ${quota}`, () => {
      expect(clientOf(agent)).to.include({ names, quota })
    })
  }
})
