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
    { id: 3, callFrame: frame('list', 'file:///somewhere/dist/vfs/user-tree.js'), children: [2, 4] },
    { id: 4, callFrame: frame('list', 'file:///somewhere/dist/vfs/user-tree.js'), children: [5] },
    { id: 6, callFrame: frame('dispatch') },
    { id: 7, callFrame: frame('get', 'file:///somewhere/node_modules/lru-cache/dist/esm/index.js') },
    { id: 5, callFrame: frame('entry', 'file:///somewhere/dist/vfs/metadata-cache.js') },
  ],
  samples: [1, 6, 2, 3, 5, 7],
  timeDeltas: [5_000_000, 3_000_000, 500_000, 2_000_000, 1_000_000, 500_000],
}

describe('bench: the top of a profile', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-profile-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('tells where most time went, over all profiles of a folder, without the time of waiting and of the profiler', async () => {
    for (const name of ['a', 'b']) await writeFile(path.join(folder, `${name}.cpuprofile`), JSON.stringify(profile))
    const lines = (await profileTop(folder)).split('\n').map((line) => line.trim().replace(/ {2,}/g, ' '))
    expect(lines).to.deep.equal([
      '8.00 s busy, 10.00 s idle',
      '',
      'By part:',
      '75.0 % 6.000 s dist/vfs/',
      '12.5 % 1.000 s native: writev',
      '12.5 % 1.000 s node_modules/lru-cache',
      '',
      'By function:',
      '50.0 % 4.000 s list dist/vfs/user-tree.js:7',
      '25.0 % 2.000 s entry dist/vfs/metadata-cache.js:7',
      '12.5 % 1.000 s writev',
      '12.5 % 1.000 s get node_modules/lru-cache/dist/esm/index.js:7',
      '',
      'By function of the gateway, with what it calls:',
      '87.5 % 7.000 s list dist/vfs/user-tree.js:7',
      '25.0 % 2.000 s entry dist/vfs/metadata-cache.js:7',
    ])
  })
})
