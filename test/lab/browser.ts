import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { environmentOf, mustHaveAll, packagesObstacle, unpackedRoot, type PackageSet } from './packages.js'

const CHROMIUM: PackageSet = { name: 'browser', wanted: [['chromium', 'fonts-dejavu-core', 'fontconfig-config']] }

/** Names under which systems have it. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface Program {
  readonly file: string
  /** Besides the variables of this process. */
  readonly env: NodeJS.ProcessEnv
}

/**
 * A headless Chromium for a `before` hook, with a profile of its own that goes when it is closed: the one that
 * `FTPCLUSTER_CHROMIUM` names, the one in `PATH`, or Debian's, which is fetched and unpacked as the daemons are. Where none
 * can be had, the tests of that block are skipped and the reason is printed; with `CI` set it fails instead.
 */
export async function browserFor(context: Mocha.Context): Promise<Browser> {
  context.timeout(600_000)
  const program = await findProgram().catch((error: unknown) => {
    if (mustHaveAll()) throw error
    console.warn(`Skipped, no browser to test with: ${error instanceof Error ? error.message.trim() : String(error)}.`)
    return context.skip()
  })
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FTPCLUSTER_'))
  return chromium.launch({
    executablePath: program.file,
    args: ARGUMENTS,
    env: { ...Object.fromEntries(inherited), ...program.env },
  })
}

async function findProgram(): Promise<Program> {
  const named = process.env['FTPCLUSTER_CHROMIUM']
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`FTPCLUSTER_CHROMIUM names ${named}, which is not there`)
    return { file: named, env: {} }
  }
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const installed = folders.flatMap((folder) => PROGRAMS.map((name) => path.join(folder, name))).find(existsSync)
  if (installed !== undefined) return { file: installed, env: {} }
  const obstacle = packagesObstacle()
  if (obstacle !== undefined) throw new Error(`Chromium is not installed, and ${obstacle}`)
  return unpackedProgram(await unpackedRoot(CHROMIUM))
}

/** The package's own script names folders of the system; what it starts finds its files beside itself. */
async function unpackedProgram(root: string): Promise<Program> {
  const { LD_LIBRARY_PATH = '' } = await environmentOf(root)
  // Some libraries (libpulsecommon) lie in folders that those who need them name as of the system.
  const inner = LD_LIBRARY_PATH.split(':').flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name))
      .filter((inside) => readdirSync(inside).some((name) => /^lib.+\.so/.test(name))),
  )
  const fonts = path.join(root, 'fonts.conf')
  const folders = ['/usr/share/fonts', path.join(root, 'usr/share/fonts')].map((folder) => `<dir>${folder}</dir>`)
  await writeFile(
    fonts,
    `<?xml version="1.0"?>\n<fontconfig>${folders.join('')}<cachedir>${root}/font-cache</cachedir></fontconfig>\n`,
  )
  return {
    file: path.join(root, 'usr/lib/chromium/chromium'),
    env: { LD_LIBRARY_PATH: [LD_LIBRARY_PATH, ...inner].join(':'), FONTCONFIG_FILE: fonts },
  }
}
