import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { profileTop } from '../../bench/profile-top.js'

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 6 })
const profile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('writev') },
    { id: 3, callFrame: frame('list', 'file:///somewhere/dist/vfs/user-tree.js') },
  ],
  samples: [1, 2, 3, 3],
  timeDeltas: [5_000_000, 1_000_000, 2_000_000, 1_000_000],
}

describe('bench: the top of a profile', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-profile-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('tells where most time of its own went, over all profiles of a folder, without the time of waiting', async () => {
    for (const name of ['a', 'b']) await writeFile(path.join(folder, `${name}.cpuprofile`), JSON.stringify(profile))
    const lines = (await profileTop(folder)).split('\n').map((line) => line.trim().replace(/ {2,}/g, ' '))
    expect(lines).to.deep.equal([
      '8.00 s busy, 10.00 s idle',
      '',
      'By part:',
      '75.0 % 6.000 s dist/vfs/',
      '25.0 % 2.000 s native: writev',
      '',
      'By function:',
      '75.0 % 6.000 s list dist/vfs/user-tree.js:7',
      '25.0 % 2.000 s writev',
    ])
  })
})
