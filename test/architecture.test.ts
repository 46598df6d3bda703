import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseSource, readSources, type SourceFile } from './support/source-file.js'

/**
 * Who may import whom, floor by floor; a part is a folder of `src/` or a file at its top. `types` may be imported where
 * nothing of them is left in the compiled code.
 */
const PARTS: Record<
  string,
  { readonly imports: readonly string[] | 'everything'; readonly types?: readonly string[] }
> = {
  errors: { imports: [] },
  /** What is easy on V8's collector. */
  heap: { imports: [] },
  logger: { imports: [] },
  'parse-input': { imports: ['errors'] },
  config: { imports: ['errors', 'logger'] },

  storage: { imports: ['errors', 'heap'], types: ['logger'] },
  // Of storage: what a remote path is.
  db: { imports: ['errors', 'storage'], types: ['logger', 'vfs'] },

  /** Work that outlives its request; knows nothing of what the work is. */
  jobs: { imports: ['errors'] },
  vfs: { imports: ['errors', 'heap', 'storage'], types: ['logger', 'audit'] },
  audit: { imports: ['errors', 'db'], types: ['logger', 'vfs'] },
  // Who uses what right now: told by the trees and by the connections.
  activity: { imports: ['errors', 'heap'], types: ['logger', 'db', 'audit', 'storage', 'vfs'] },
  health: { imports: ['errors'], types: ['logger', 'db', 'storage'] },
  metrics: { imports: ['errors'], types: ['logger', 'storage', 'vfs', 'activity', 'health', 'audit'] },
  auth: { imports: ['errors', 'parse-input', 'db', 'audit'], types: ['logger', 'vfs', 'users'] },
  users: { imports: ['errors', 'parse-input', 'db', 'audit', 'auth'], types: ['logger'] },
  servers: { imports: ['errors', 'parse-input', 'db', 'audit', 'storage'], types: ['logger', 'vfs'] },
  permissions: {
    imports: ['errors', 'parse-input', 'db', 'audit', 'storage', 'users', 'servers'],
    types: ['logger', 'vfs'],
  },
  // Who lets whom see what, through the own permission.
  shares: {
    imports: ['errors', 'parse-input', 'db', 'audit', 'vfs', 'permissions'],
  },
  sync: {
    imports: ['errors', 'heap', 'parse-input', 'db', 'audit', 'storage', 'users', 'servers', 'permissions'],
    types: ['logger'],
  },

  // Of sync: its errors, for the table of statuses.
  http: { imports: ['errors', 'heap', 'logger', 'storage', 'vfs', 'sync'], types: ['config'] },
  dav: { imports: ['errors', 'heap', 'storage', 'vfs', 'http', 'auth'], types: ['logger'] },
  web: {
    imports: [
      'errors',
      'heap',
      'config',
      'parse-input',
      'storage',
      'vfs',
      'http',
      'audit',
      'auth',
      'users',
      'servers',
      'permissions',
      'shares',
      'sync',
      'activity',
      'health',
      'jobs',
    ],
    types: ['logger', 'metrics'],
  },

  /** Runs before anything is installed. */
  prepare: { imports: [] },

  context: { imports: 'everything' },
  // What context puts together of audit, activity, health and metrics.
  observation: { imports: 'everything' },
  // How a login becomes a tree.
  'user-trees': { imports: ['errors', 'http', 'auth', 'permissions', 'shares', 'vfs'], types: ['activity'] },
  gateway: { imports: 'everything' },
  main: { imports: 'everything' },
  cli: { imports: 'everything' },
  demo: { imports: 'everything' },
}

/** Where everything is put together, and what only these may import. */
const ROOTS = ['context', 'gateway', 'main', 'cli', 'demo']
const FOR_ROOTS_ONLY = ['dav', 'web', ...ROOTS]

const SERVICES = ['audit', 'auth', 'users', 'servers', 'permissions', 'shares', 'sync']

/** Which parts may import an npm package. */
const PACKAGES: Record<string, readonly string[]> = {
  '@zxcvbn-ts/language-common': ['users'],
  'basic-ftp': ['storage', 'demo'],
  bcrypt: ['auth'],
  'bootstrap-icons': ['web'],
  bootstrap: ['web'],
  commander: ['cli'],
  ejs: ['web'],
  express: ['web'],
  'express-session': ['web'],
  helmet: ['web'],
  jose: ['auth'],
  'lru-cache': ['storage', 'vfs', 'dav', 'auth', 'permissions', 'audit', 'activity'],
  'mime-types': ['http'],
  otpauth: ['auth'],
  'pdfjs-dist': ['web'],
  pino: ['logger'],
  'pino-pretty': ['logger'],
  'prom-client': ['metrics'],
  qrcode: ['web'],
  'rate-limiter-flexible': ['auth', 'shares', 'web'],
  saxes: ['dav'],
  selfsigned: ['http'],
  sequelize: ['db', ...SERVICES],
  sqlite3: ['db'],
  ssh2: ['storage', 'sync', 'demo'],
  'ssh2-sftp-client': ['storage'],
  umzug: ['db'],
  unixcrypt: ['sync'],
  'webdav-server': ['dav'],
  yaml: ['config', 'cli'],
  zod: ['config', 'cli', 'parse-input', 'web', ...SERVICES],
  yazl: ['web'],
}

const KEBAB_CASE = /^([a-z0-9]+-)*[a-z0-9]+(\.d)?\.(ts|mjs)$/
const NAMES_OF_NOTHING = ['index.ts', 'utils.ts', 'util.ts', 'helpers.ts', 'common.ts', 'misc.ts']

/** `src/vfs/tree.ts` -> `vfs`, `src/main.ts` -> `main`. */
function partOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.(ts|mjs)$/, '')
}

/** What a file imports from the project: path as if it were TypeScript. */
function projectImports(file: SourceFile): { path: string; typeOnly: boolean; late: boolean }[] {
  return file.imports
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, typeOnly, late }) => ({
      path: posix.join(posix.dirname(file.path), from).replace(/\.js$/, '.ts'),
      typeOnly,
      late,
    }))
}

/** Everything in which `files` break the rules, one sentence each. */
function violations(files: readonly SourceFile[]): string[] {
  return [
    ...files.flatMap((file) => [...wrongImports(file), ...wrongPackages(file), ...wrongForm(file)]),
    ...cycles(files),
  ]
}

function wrongImports(file: SourceFile): string[] {
  const from = partOf(file.path)
  const rule = PARTS[from]
  if (rule === undefined) return [`${file.path}: "${from}" is not a part of the architecture`]
  return projectImports(file).flatMap(({ path, typeOnly }) => {
    const to = partOf(path)
    if (to === from) return []
    if (!path.startsWith('src/')) return [`${file.path} imports ${path}, which is outside of src`]
    const byRoots = !FOR_ROOTS_ONLY.includes(to) || ROOTS.includes(from)
    const byRule = rule.imports === 'everything' || rule.imports.includes(to)
    if (byRoots && (byRule || (typeOnly && rule.types?.includes(to) === true))) return []
    return [`${file.path}: ${from} may not import ${typeOnly ? 'types of ' : ''}${to}`]
  })
}

function wrongPackages(file: SourceFile): string[] {
  const part = partOf(file.path)
  return file.imports.flatMap(({ from }) => {
    if (from.startsWith('.') || from.startsWith('node:')) return []
    const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/')
    const owners = PACKAGES[name]
    if (owners === undefined) return [`${file.path}: nobody owns the package ${name}`]
    return owners.includes(part) ? [] : [`${file.path}: ${part} may not import the package ${name}`]
  })
}

function wrongForm(file: SourceFile): string[] {
  const part = partOf(file.path)
  const name = posix.basename(file.path)
  const found: string[] = []
  // `0001-initial.ts` is kebab-case too: migrations are sorted by their names.
  if (!KEBAB_CASE.test(name)) found.push('the name of the file is not in kebab-case')
  if (NAMES_OF_NOTHING.includes(name)) found.push('the name says nothing of what is in the file')
  // A declaration file says what somebody else's package exports.
  if (file.defaultExport && !name.endsWith('.d.ts')) found.push('exports a default')
  if (file.barrel) found.push('only hands on what other files export')
  if (file.usesConsole && !['cli', 'demo'].includes(part)) found.push('writes to the console')
  if (file.readsEnvironment && !['config', 'cli', 'demo', 'main', 'prepare'].includes(part))
    found.push('reads the environment')
  return found.map((what) => `${file.path}: ${what}`)
}

/** Parts that need each other to run, by the shortest way round. Types may refer to each other. */
function cycles(files: readonly SourceFile[]): string[] {
  const needs = new Map<string, Set<string>>()
  for (const file of files) {
    const from = partOf(file.path)
    for (const { path, typeOnly } of projectImports(file)) {
      if (typeOnly || partOf(path) === from) continue
      needs.set(from, (needs.get(from) ?? new Set()).add(partOf(path)))
    }
  }
  return [...needs.keys()].flatMap((part) => {
    const way = wayBack(part, needs)
    return way === undefined ? [] : [`cycle: ${way.join(' -> ')}`]
  })
}

function wayBack(part: string, needs: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const ways = [[part]]
  const seen = new Set<string>()
  for (const way of ways) {
    for (const next of needs.get(way.at(-1) ?? '') ?? []) {
      if (next === part) return [...way, next]
      if (!seen.has(next)) ways.push([...way, next])
      seen.add(next)
    }
  }
  return undefined
}

describe('the architecture', () => {
  const sources = readSources('src')
  const known = new Set(violations(sources))

  it('holds in every file', () => {
    expect(sources).not.to.be.empty
    expect([...known]).to.deep.equal([])
  })

  it('gives every package an owner, and owns no package that is not there', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>
    }
    expect(Object.keys(PACKAGES).sort()).to.deep.equal(Object.keys(dependencies).sort())
  })

  it('starts the gateway without what only few requests need', () => {
    const paths = ['src/cli/main.ts', 'src/main.ts']
    const packages = new Set<string>()
    for (const path of paths) {
      const file = sources.find((source) => source.path === path) ?? expect.fail(path)
      const atOnce = ({ typeOnly, late }: { typeOnly: boolean; late: boolean }) => !typeOnly && !late
      for (const { from } of file.imports.filter(atOnce)) packages.add(from)
      const needed = projectImports(file).filter(atOnce)
      paths.push(...needed.map((needs) => needs.path).filter((needs) => !paths.includes(needs)))
    }
    expect(packages).to.include('sequelize')
    expect(packages).to.not.include.any.keys('express', 'pino-pretty', 'qrcode', 'selfsigned', 'umzug')
  })

  /** What one planted file breaks, among all the real ones. */
  function planted(path: string, text: string): string[] {
    const others = sources.filter((file) => file.path !== path)
    return violations([...others, parseSource(path, text)]).filter((sentence) => !known.has(sentence))
  }

  const caught: [path: string, text: string, violation: string][] = [
    ['src/storage/planted.ts', `import { Trees } from '../vfs/trees.js'`, 'storage may not import vfs'],
    ['src/storage/planted.ts', `import type { Tree } from '../vfs/tree.js'`, 'storage may not import types of vfs'],
    ['src/storage/planted.ts', `import { openDatabase } from '../db/database.js'`, 'storage may not import db'],
    ['src/vfs/planted.ts', `import { openDatabase } from '../db/database.js'`, 'vfs may not import db'],
    ['src/vfs/planted.ts', `import { AuditLog } from '../audit/audit-log.js'`, 'vfs may not import audit'],
    ['src/vfs/planted.ts', `import { IncomingMessage } from '../http/body.js'`, 'vfs may not import http'],
    ['src/vfs/planted.ts', `const lazy = await import('../http/status.js')`, 'vfs may not import http'],
    [
      'src/vfs/planted.ts',
      `export { statusOf } from '../http/status.js'\nexport const x = 1`,
      'vfs may not import http',
    ],
    ['src/vfs/planted.ts', `type Late = import('../http/status.js').Answer`, 'vfs may not import types of http'],
    ['src/vfs/planted.ts', `import { Model } from 'sequelize'`, 'vfs may not import the package sequelize'],
    ['src/dav/methods/planted.ts', `import { app } from '../../web/app.js'`, 'dav may not import web'],
    ['src/dav/planted.ts', `import express from 'express'`, 'dav may not import the package express'],
    ['src/web/planted.ts', `import { dav } from '../dav/dav-server.js'`, 'web may not import dav'],
    ['src/web/planted.ts', `import type { Verb } from '../dav/verb.js'`, 'web may not import types of dav'],
    ['src/web/planted.ts', `import { v2 } from 'webdav-server'`, 'web may not import the package webdav-server'],
    ['src/web/planted.ts', `import { Model } from 'sequelize'`, 'web may not import the package sequelize'],
    ['src/web/planted.ts', `import { openDatabase } from '../db/database.js'`, 'web may not import db'],
    ['src/http/planted.ts', `import { dav } from '../dav/dav-server.js'`, 'http may not import dav'],
    ['src/users/planted.ts', `import { app } from '../web/app.js'`, 'users may not import web'],
    ['src/users/planted.ts', `import { context } from '../context.js'`, 'users may not import context'],
    ['src/servers/planted.ts', `import { Client } from 'basic-ftp'`, 'servers may not import the package basic-ftp'],
    ['src/servers/planted.ts', `import { Client } from 'ssh2'`, 'servers may not import the package ssh2'],
    ['src/servers/planted.ts', `import x from '@scope/thing/deep'`, 'nobody owns the package @scope/thing'],
    ['src/servers/planted.ts', `import { it } from '../../test/support/x.js'`, 'which is outside of src'],
    ['src/planted.ts', `export const x = 1`, '"planted" is not a part of the architecture'],
    ['src/helpers/planted.ts', `export const x = 1`, '"helpers" is not a part of the architecture'],
    ['src/vfs/plantedFile.ts', `export const x = 1`, 'not in kebab-case'],
    ['src/vfs/utils.ts', `export const x = 1`, 'says nothing'],
    ['src/vfs/planted.ts', `export default 1`, 'exports a default'],
    ['src/vfs/planted.ts', `export default class X {}`, 'exports a default'],
    ['src/vfs/planted.ts', `const x = 1\nexport { x as default }`, 'exports a default'],
    ['src/vfs/planted.ts', `export * from './node.js'`, 'only hands on'],
    ['src/vfs/planted.ts', `console.log('x')`, 'writes to the console'],
    ['src/vfs/planted.ts', `export const home = process.env.HOME`, 'reads the environment'],
    ['src/errors.ts', `import { createLogger } from './logger.js'`, 'errors may not import logger'],
  ]
  for (const [path, text, violation] of caught) {
    it(`would notice \`${text.replace('\n', '; ')}\` in ${path}`, () => {
      const found = planted(path, text).filter((sentence) => !sentence.startsWith('cycle'))
      expect(found).to.have.length(1)
      expect(found[0]).to.include(path).and.to.include(violation)
    })
  }

  it('would notice parts that need each other', () => {
    const found = planted('src/storage/planted.ts', `import { Trees } from '../vfs/trees.js'`)
    expect(found).to.include('cycle: storage -> vfs -> storage').and.to.include('cycle: vfs -> storage -> vfs')
  })

  const allowed: [path: string, text: string][] = [
    ['src/vfs/planted.ts', `import type { AuditEvent } from '../audit/audit-event.js'`],
    ['src/vfs/planted.ts', `import { type AuditEvent } from '../audit/audit-event.js'`],
    ['src/vfs/planted.ts', `import { StorageError } from '../storage/errors.js'`],
    ['src/db/stores/planted.ts', `import type { LockStore } from '../../vfs/ports.js'`],
    ['src/users/planted.ts', `import { Op } from 'sequelize'`],
    ['src/cli/planted.ts', `console.log('x')`],
    ['src/storage/planted.ts', `import { connect } from 'node:net'\nimport { Client } from 'basic-ftp'`],
    ['src/gateway.ts', `import { app } from './web/app.js'\nimport { dav } from './dav/dav-server.js'`],
  ]
  for (const [path, text] of allowed) {
    it(`has nothing against \`${text.replace('\n', '; ')}\` in ${path}`, () => {
      expect(planted(path, text)).to.deep.equal([])
    })
  }
})
