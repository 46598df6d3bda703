import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const WELCOME = (what: string) =>
  `Welcome to FTPCluster.\n\nThis file lies on ${what}. Change it, add others, delete them: the server behind the folder has\nwhat you see, at once.\n`

/** What lies on the two servers of the demo; a file that is there already is left alone. */
export async function makeSampleFiles(roots: { readonly ftp: string; readonly sftp: string }): Promise<void> {
  const files = {
    [join(roots.ftp, 'welcome.txt')]: WELCOME('the FTP server'),
    [join(roots.ftp, 'files', 'data.csv')]: 'month,orders\n2026-09,118\n2026-10,131\n2026-11,97\n',
    [join(roots.ftp, 'files', 'notes', 'todo.txt')]: 'Mount the drive.\nOpen this file in an editor.\nSave it.\n',
    [join(roots.sftp, 'welcome.txt')]: WELCOME('the SFTP server'),
    [join(roots.sftp, 'reports', 'Übersicht 2026.txt')]: 'Names are kept as they are.\n',
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true })
    try {
      await writeFile(path, content, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
