/** The fast tests: all that start no daemon and no client program of `test/lab/`. */
import { readdirSync, readFileSync } from 'node:fs'
import { URL } from 'node:url'

const base = JSON.parse(readFileSync(new URL('.mocharc.json', import.meta.url), 'utf8'))
const NEEDS_LAB = /from '(?:\.{1,2}\/)+(?:lab\/(?:lab|packages|run)|support\/(?:litmus|rclone|cadaver))\.js'/

const spec = readdirSync(new URL('test/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.test.ts') && !/^test\/(?:lab|acceptance|faults\/(?!fuzz)|soak)\b/.test(name))
  .filter((name) => !NEEDS_LAB.test(readFileSync(new URL(name, import.meta.url), 'utf8')))
  .sort()

export default { ...base, parallel: true, jobs: 2, reporter: './test/support/reporter.ts', spec }
