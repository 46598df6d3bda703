import { constants, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { FACTS, factsLine, listLines, longLine, parseTimeVal, readNames, timeVal } from './ftp-server-listing.js'
import { FtpReply } from './ftp-server-replies.js'
import type { FtpSession } from './ftp-server-session.js'
import type { JailedFolder } from './jailed-folder.js'

type Command = (session: FtpSession, argument: string, folder: JailedFolder) => Promise<void> | void

const CHUNK = 256 * 1024
const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants
const FEATURES = ['EPSV', 'PASV', 'MDTM', 'REST STREAM', 'SIZE', 'TVFS', 'UTF8']
const MODERN_FEATURES = ['MFMT', `MLST ${FACTS.map((fact) => `${fact}*;`).join('')}`]
/** Commands that an older server does not know. */
export const MODERN = new Set(['MLSD', 'MLST', 'MFMT'])

/** Commands that need no login. */
export const OPEN_COMMANDS: Readonly<Record<string, (session: FtpSession, argument: string) => void>> = {
  USER: (session, argument) => {
    session.folder = undefined
    session.cwd = '/'
    session.username = argument
    session.reply(331, 'Password, please.')
  },
  PASS: (session, argument) => session.authenticate(argument),
  QUIT: (session) => session.bye(221, 'Goodbye.'),
  NOOP: (session) => session.reply(200, 'Here.'),
  SYST: (session) => session.reply(215, 'UNIX Type: L8'),
  FEAT: (session) => {
    session.reply(211, 'Features:', ...FEATURES, ...(session.options.listOnly ? [] : MODERN_FEATURES), 'End')
  },
  OPTS: (session, argument) => {
    if (/^UTF-?8( ON)?$/i.test(argument)) session.reply(200, 'Names are UTF-8.')
    // RFC 3659 section 7.9: the answer tells the facts that will be sent.
    else if (/^MLST( |$)/i.test(argument)) session.reply(200, `MLST OPTS ${FACTS.join(';')};`)
    else throw new FtpReply(501, 'No such option.')
  },
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  PWD: (session) => session.reply(257, `${quoted(session.cwd)} is the current folder.`),
  CWD: enter,
  CDUP: (session, _, folder) => enter(session, '..', folder),
  TYPE: (session, argument) => accept(session, /^([AI]( N)?|L 8)$/i.test(argument)),
  MODE: (session, argument) => accept(session, /^S$/i.test(argument)),
  STRU: (session, argument) => accept(session, /^F$/i.test(argument)),
  // What ABOR stops has been answered before this is reached.
  ABOR: (session) => session.reply(226, 'Nothing is under way.'),

  EPSV: async (session, argument) => {
    if (/^ALL$/i.test(argument)) return session.reply(200, 'EPSV it is.')
    const { port, ipv4 } = await session.listen()
    if (argument !== '' && argument !== (ipv4 ? '1' : '2')) throw new FtpReply(522, `Use (${ipv4 ? 1 : 2}).`)
    session.reply(229, `Entering extended passive mode (|||${port}|)`)
  },
  PASV: async (session) => {
    const { host, port, ipv4 } = await session.listen()
    if (!ipv4) throw new FtpReply(425, 'Use EPSV.')
    session.reply(227, `Entering passive mode (${[...host.split('.'), port >> 8, port & 255].join(',')})`)
  },
  REST: (session, argument) => {
    if (!/^\d{1,15}$/.test(argument)) throw new FtpReply(501, 'Not a number of bytes.')
    session.restart = Number(argument)
    session.reply(350, `Restarting at ${session.restart}.`)
  },

  LIST: (session, argument, folder) =>
    session.transfer(async () => {
      const path = argument.replace(/^-[A-Za-z]+( |$)/, '') || '.'
      const local = await folder.target(session.path(path))
      const stats = await fs.stat(local)
      const lines = stats.isDirectory()
        ? listLines(local, await readNames(local), longLine)
        : [longLine(path, stats) + '\r\n']
      return (data, signal) => pipeline(lines, data, { signal })
    }),
  MLSD: (session, argument, folder) =>
    session.transfer(async () => {
      const path = session.path(argument || '.')
      const local = await folder.target(path)
      const names = await readNames(local)
      const own = [factsLine('.', await fs.stat(local), 'cdir')]
      if (path !== '/') own.push(factsLine('..', await fs.stat(await folder.target(path + '/..')), 'pdir'))
      return async (data, signal) => {
        data.write(own.join('\r\n') + '\r\n')
        await pipeline(listLines(local, names, factsLine), data, { signal })
      }
    }),
  MLST: async (session, argument, folder) => {
    const path = session.path(argument || '.')
    session.reply(250, 'Facts:', factsLine(path, await fs.lstat(await folder.own(path))), 'End')
  },
  SIZE: async (session, argument, folder) => {
    const stats = await fs.stat(await folder.target(session.path(argument)))
    if (!stats.isFile()) throw new FtpReply(550, 'Not a regular file')
    session.reply(213, String(stats.size))
  },
  MDTM: async (session, argument, folder) => {
    // vsftpd's way to set a time, which old clients use.
    if (session.options.listOnly && /^\d{14} \//.test(argument)) return setModified(session, argument, folder)
    session.reply(213, timeVal(await fs.stat(await folder.target(session.path(argument)))))
  },
  MFMT: setModified,

  RETR: (session, argument, folder) =>
    session.transfer(async () => {
      const { restart } = session
      const file = await open(await folder.target(session.path(argument)), O_RDONLY, (stats) => {
        if (!stats.isFile()) throw new FtpReply(550, 'Not a regular file')
      })
      return (data, signal) => pipeline(read(file, restart), data, { signal }).finally(() => file.close())
    }),
  STOR: (session, argument, folder) => store(session, argument, folder, session.restart > 0 ? 0 : O_TRUNC),
  APPE: (session, argument, folder) => store(session, argument, folder, O_APPEND),

  DELE: async (session, argument, folder) => {
    await fs.unlink(await ownOf(session, argument, folder))
    session.reply(250, 'Removed.')
  },
  RMD: async (session, argument, folder) => {
    await fs.rmdir(await ownOf(session, argument, folder))
    session.reply(250, 'Removed.')
  },
  MKD: async (session, argument, folder) => {
    const path = session.path(argument)
    await fs.mkdir(await folder.own(path))
    session.reply(257, `${quoted(path)} is made.`)
  },
  RNFR: async (session, argument, folder) => {
    const local = await ownOf(session, argument, folder)
    await fs.lstat(local)
    session.renameFrom = local
    session.reply(350, 'And the new name?')
  },
  RNTO: async (session, argument, folder) => {
    const from = session.renameFrom
    session.renameFrom = undefined
    if (from === undefined) throw new FtpReply(503, 'RNFR comes first.')
    const to = await ownOf(session, argument, folder)
    // rename(2) would let a folder replace an empty one. Whatever else is wrong with the name, it tells.
    const taken = await fs.lstat(to).catch(() => undefined)
    if (taken?.isDirectory()) throw new FtpReply(550, 'Is a directory')
    await fs.rename(from, to)
    session.reply(250, 'Renamed.')
  },
  SITE: async (session, argument, folder) => {
    if (/^HELP$/i.test(argument)) return session.reply(214, 'CHMOD HELP')
    const [, mode = '', path = ''] = /^CHMOD ([0-7]{3,4}) (.+)$/is.exec(argument) ?? []
    if (path === '') throw new FtpReply(504, 'SITE CHMOD with an octal mode and a path is all there is.')
    await fs.chmod(await folder.target(session.path(path)), parseInt(mode, 8))
    session.reply(200, 'Mode changed.')
  },
}

async function enter(session: FtpSession, argument: string, folder: JailedFolder): Promise<void> {
  const path = session.path(argument)
  const local = await folder.target(path)
  if (!(await fs.stat(local)).isDirectory()) throw new FtpReply(550, 'Not a directory')
  await fs.access(local, constants.X_OK)
  session.cwd = path
  session.reply(250, 'Entered.')
}

async function setModified(session: FtpSession, argument: string, folder: JailedFolder): Promise<void> {
  const [, text = '', path = ''] = /^([\d.]+) (.*)$/s.exec(argument) ?? []
  const time = parseTimeVal(text)
  if (!time) throw new FtpReply(501, 'Not a time.')
  const local = await folder.target(session.path(path))
  await fs.utimes(local, (await fs.stat(local)).atime, time)
  session.reply(213, `Modify=${text}; ${path}`)
}

function store(session: FtpSession, argument: string, folder: JailedFolder, flags: number): Promise<void> {
  return session.transfer(async () => {
    const { restart } = session
    const local = await folder.target(session.path(argument))
    const file = await open(local, O_WRONLY | O_CREAT | flags, (stats) => {
      if (restart > stats.size) throw new FtpReply(554, 'The file is not that long.')
    })
    return (data, signal) =>
      pipeline(data, (source: AsyncIterable<Buffer>) => write(file, source, restart), { signal }).finally(() =>
        file.close(),
      )
  })
}

/** Paths are resolved before, so no link is left to follow; a pipe must not block. @throws what `judge` throws */
async function open(local: string, flags: number, judge: (stats: Stats) => void): Promise<fs.FileHandle> {
  const file = await fs.open(local, flags | O_NOFOLLOW | O_NONBLOCK)
  try {
    judge(await file.stat())
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

async function write(file: fs.FileHandle, source: AsyncIterable<Buffer>, start: number): Promise<void> {
  let position = start
  for await (const chunk of source) {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position)
      done += bytesWritten
      position += bytesWritten
    }
  }
}

async function* read(file: fs.FileHandle, start: number): AsyncGenerator<Buffer> {
  for (let position = start; ;) {
    // A buffer for each read: the socket may still hold the one before.
    const buffer = Buffer.allocUnsafe(CHUNK)
    const { bytesRead } = await file.read(buffer, 0, CHUNK, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** The local path of a name that is to change hands; the root cannot. */
async function ownOf(session: FtpSession, argument: string, folder: JailedFolder): Promise<string> {
  const path = session.path(argument)
  if (path === '/') throw new FtpReply(550, 'Operation not permitted')
  return folder.own(path)
}

function accept(session: FtpSession, known: boolean): void {
  if (!known) throw new FtpReply(504, 'Not implemented for that parameter.')
  session.reply(200, 'Fine.')
}

function quoted(path: string): string {
  return `"${path.replaceAll('"', '""')}"`
}
