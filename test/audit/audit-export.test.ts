import { expect } from 'chai'
import { csvCell, exportEvents, type ExportFormat } from '../../src/audit/audit-export.js'
import type { AuditRecord } from '../../src/audit/audit-log.js'

const RECORD: AuditRecord = {
  id: 1,
  at: new Date(Date.UTC(2026, 0, 2)),
  type: 'file.read',
  outcome: 'ok',
  actorKind: 'user',
  actorId: 3,
  actorName: '=HYPERLINK("http://evil")',
  address: undefined,
  objectId: 2,
  objectName: 's2',
  requestId: 'r1',
  details: { path: '/a, "b"' },
}

describe('exportEvents', () => {
  async function* records(count: number) {
    for (let id = 1; id <= count; id++) yield await Promise.resolve({ ...RECORD, id })
  }

  async function exported(format: ExportFormat, count: number): Promise<string> {
    let text = ''
    for await (const line of exportEvents(records(count), format)) text += line
    return text
  }

  it('writes CSV with a head', async () => {
    expect(await exported('csv', 1)).to.equal(
      'id,at,type,outcome,actorKind,actorId,actorName,address,objectId,objectName,requestId,details\r\n' +
        '1,2026-01-02T00:00:00.000Z,file.read,ok,user,3,"\'=HYPERLINK(""http://evil"")",,2,s2,r1,"{""path"":""/a, \\""b\\""""}"\r\n',
    )
  })

  for (const count of [0, 1, 3]) {
    it(`writes ${count} events as JSON that can be read back`, async () => {
      const read = JSON.parse(await exported('json', count)) as { id: number; address: null }[]
      expect(read.map(({ id }) => id)).to.deep.equal([1, 2, 3].slice(0, count))
      if (read[0]) expect(read[0]).to.include({ address: null, at: '2026-01-02T00:00:00.000Z' })
    })
  }

  const cells: [text: string, cell: string][] = [
    ['plain', 'plain'],
    ['=1+1', `"'=1+1"`],
    ['+1', `"'+1"`],
    ['-1', `"'-1"`],
    ['@x', `"'@x"`],
    ['\t=1', `"'\t=1"`],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\nb', '"a\nb"'],
    ['a=b', 'a=b'],
    ['', ''],
  ]
  for (const [text, cell] of cells) {
    it(`writes ${JSON.stringify(text)} as ${JSON.stringify(cell)}`, () => {
      expect(csvCell(text)).to.equal(cell)
    })
  }
})
