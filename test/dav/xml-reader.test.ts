import { expect } from 'chai'
import fc from 'fast-check'
import { DavError } from '../../src/dav/dav-error.js'
import { davChild, elementsOf, readXml, textOf } from '../../src/dav/xml-reader.js'
import { escapeAttribute, escapeXml, writeContent, writeElement } from '../../src/dav/xml-writer.js'

// eslint-disable-next-line no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g
const LIMITS = { depth: 32, elements: 512 }
const read = (text: string | Buffer) => readXml(Buffer.from(text), LIMITS)

function refusal(body: string | Buffer): number {
  try {
    read(body)
  } catch (error) {
    if (error instanceof DavError) return error.status
    throw error
  }
  return 200
}

describe('dav/xml-reader', () => {
  it('resolves namespaces, whatever the prefix', () => {
    for (const xml of [
      '<a xmlns="DAV:"><b/></a>',
      '<D:a xmlns:D="DAV:"><D:b/></D:a>',
      '<a:a xmlns:a="DAV:"><a:b/></a:a>',
    ]) {
      expect(davChild(read(xml), 'b')).to.include({ namespace: 'DAV:', name: 'b' })
    }
  })

  it('keeps text, CDATA and characters outside the BMP', () => {
    expect(textOf(read('<a>x<![CDATA[<y>]]>&#65536;&amp;</a>'))).to.equal('x<y>\u{10000}&')
  })

  it('hands xml:lang down', () => {
    const [first] = elementsOf(read('<a xml:lang="de"><b/></a>'))
    expect(first?.lang).to.equal('de')
  })

  const accepted: [string, Buffer][] = [
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff<a>é</a>')],
    ['UTF-16 little endian', Buffer.from('\ufeff<a>é</a>', 'utf16le')],
    ['UTF-16 big endian', Buffer.from('\ufeff<a>é</a>', 'utf16le').swap16()],
    ['UTF-16 without a mark', Buffer.from('<a>é</a>', 'utf16le')],
    ['ISO-8859-1 that says so', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1')],
  ]
  for (const [name, body] of accepted) {
    it(`reads ${name}`, () => expect(textOf(read(body))).to.equal('é'))
  }

  const refused: [string, string | Buffer, number][] = [
    ['an element that is not closed', '<a><b></a>', 400],
    ['half a document', '<a><b', 400],
    ['one character', 'x', 400],
    ['white space alone', '  ', 400],
    [
      'a prefix bound to nothing (RFC 4918 does not, Namespaces 1.0 section 5 does forbid it)',
      '<a xmlns:bar=""/>',
      400,
    ],
    ['a prefix that nobody declared', '<x:a/>', 400],
    ['a DOCTYPE', '<!DOCTYPE a><a/>', 400],
    ['a billion laughs', '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>', 400],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 400],
    ['an entity that nobody declared', '<a>&nbsp;</a>', 400],
    ['two roots', '<a/><b/>', 400],
    ['the same attribute twice', '<a b="1" b="2"/>', 400],
    ['33 nested elements', '<a>'.repeat(33) + '</a>'.repeat(33), 400],
    ['513 elements', `<a>${'<b/>'.repeat(512)}</a>`, 400],
    ['bytes that are no UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe]), 400],
    ['an encoding that nobody offers', '<?xml version="1.0" encoding="EBCDIC"?><a/>', 415],
    ['a control character', '<a>\u0001</a>', 400],
  ]
  for (const [name, body, status] of refused) {
    it(`answers ${status} to ${name}`, () => expect(refusal(body)).to.equal(status))
  }

  it('takes 32 nested elements and 512 in all', () => {
    expect(refusal('<a>'.repeat(32) + '</a>'.repeat(32))).to.equal(200)
    expect(refusal(`<a>${'<b/>'.repeat(511)}</a>`)).to.equal(200)
  })

  it('does not take names for members of objects', () => {
    const root = read('<a xmlns:__proto__="urn:x"><__proto__:constructor __proto__:toString="1"/></a>')
    expect(elementsOf(root)[0]).to.include({ namespace: 'urn:x', name: 'constructor' })
    expect(Object.prototype).not.to.have.property('urn:x')
  })

  it('either reads a body or answers 400 or 415, for anything', () => {
    const soup = fc.array(
      fc.constantFrom(
        '<',
        '>',
        '/',
        'a',
        ':',
        '=',
        '"',
        ' ',
        '&',
        ';',
        '<!',
        '[CDATA[',
        ']]>',
        '<?xml ',
        '?>',
        'xmlns',
        '\u{10000}',
        '<a>',
        '</a>',
      ),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          soup.map((parts) => Buffer.from(parts.join(''))),
          fc.uint8Array().map((b) => Buffer.from(b)),
        ),
        (body) => {
          expect(refusal(body)).to.be.oneOf([200, 400, 415])
        },
      ),
      { seed: 7, numRuns: 500 },
    )
  })
})

describe('dav/xml-writer', () => {
  it('escapes markup and drops what XML cannot hold', () => {
    expect(escapeXml('a&b<c>"d"\u0001\ufffe\ud800e\r')).to.equal('a&amp;b&lt;c&gt;"d"e&#13;')
    expect(escapeAttribute('"a\n\tb"<')).to.equal('&quot;a&#10;&#9;b&quot;&lt;')
    expect(escapeXml('\u{1f600} é')).to.equal('\u{1f600} é')
  })

  const same: [string, string][] = [
    ['a prefix declared far above', '<r xmlns:x="urn:x"><x:a/></r>'],
    ['no namespace inside one', '<r xmlns="urn:r"><a xmlns=""><b/></a></r>'],
    ['one prefix with two meanings', '<r xmlns:p="urn:1"><p:a><p:b xmlns:p="urn:2"/></p:a></r>'],
    ['attributes in namespaces', '<r xmlns:x="urn:x"><a x:k="1&quot;&#10;2" k="3"/></r>'],
    ['text with markup in it', '<r><a>1 &lt; 2 &amp;&amp; x<![CDATA[</a>]]></a></r>'],
    ['the highest plane', '<r><a>&#65536;</a></r>'],
  ]
  for (const [name, xml] of same) {
    it(`writes an element on its own that means the same: ${name}`, () => {
      const [element] = elementsOf(read(xml))
      if (!element) throw new Error('no element')
      const [again] = elementsOf(read(`<D:prop xmlns:D="DAV:">${writeElement(element)}</D:prop>`))
      expect(meaning(again)).to.deep.equal(meaning(element))
    })
  }

  it('puts an inherited xml:lang on the element', () => {
    const [element] = elementsOf(read('<r xml:lang="de"><a/></r>'))
    expect(element && writeElement(element)).to.equal('<a xmlns="" xml:lang="de"/>')
  })

  it('keeps an owner as it was sent', () => {
    const owner = read('<D:owner xmlns:D="DAV:"><D:href>DESKTOP-1\\alice</D:href> &amp; co</D:owner>')
    expect(writeContent(owner)).to.equal('<D:href xmlns:D="DAV:">DESKTOP-1\\alice</D:href> &amp; co')
  })

  it('writes any text so that it is read back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textOf(read(`<a>${escapeXml(text)}</a>`))).to.equal(text.replace(NOT_IN_XML, ''))
      }),
      { seed: 11, numRuns: 300 },
    )
  })
})

function meaning(element: ReturnType<typeof read> | undefined): unknown {
  return (
    element && {
      name: `${element.namespace} ${element.name}`,
      attributes: element.attributes.map((a) => `${a.namespace} ${a.name}=${a.value}`).sort(),
      children: joined(element.children).map((child) => (typeof child === 'string' ? child : meaning(child))),
    }
  )
}

/** Neighbouring pieces of text are one. */
function joined(children: readonly (ReturnType<typeof read> | string)[]) {
  const out: (ReturnType<typeof read> | string)[] = []
  for (const child of children) {
    const last = out.at(-1)
    if (typeof child === 'string' && typeof last === 'string') out[out.length - 1] = last + child
    else out.push(child)
  }
  return out
}
