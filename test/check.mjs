/** Lint, types and architecture at the same time: `npm run check`. Prints what each says when it ends. */
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import process from 'node:process'

const CACHE = 'node_modules/.cache'
const CHECKS = {
  lint: [
    'eslint',
    '.',
    '--max-warnings',
    '0',
    '--cache',
    '--cache-strategy',
    'content',
    '--cache-location',
    `${CACHE}/eslint/`,
  ],
  types: ['tsc', '-p', 'tsconfig.json', '--incremental', '--tsBuildInfoFile', `${CACHE}/tsc/tsconfig.tsbuildinfo`],
  architecture: ['mocha', '--reporter', 'dot', 'test/architecture.test.ts'],
  format: ['prettier', '--check', '--cache', '--log-level', 'warn', 'src', 'test', 'config', 'public'],
}
const BINS = {
  eslint: 'eslint/bin/eslint.js',
  tsc: 'typescript/bin/tsc',
  mocha: 'mocha/bin/mocha.js',
  prettier: 'prettier/bin/prettier.cjs',
}

const results = await Promise.all(Object.entries(CHECKS).map(([name, [tool, ...args]]) => check(name, tool, args)))
process.exitCode = results.every(Boolean) ? 0 : 1

function check(name, tool, args) {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(process.execPath, [`node_modules/${BINS[tool]}`, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.once('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(`${code === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)\n`)
      if (code !== 0) process.stdout.write(Buffer.concat(output))
      resolve(code === 0)
    })
  })
}
