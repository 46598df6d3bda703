import type { Recipe, RecipeInput } from './recipe.js'

/** pure-ftpd(8). Every login is locked into its home and sees it as `/`. `settings` are further options. */
export function pureFtpd(input: RecipeInput): Recipe {
  const options = [
    ['--bind', `127.0.0.1,${input.port}`],
    ['--login', 'unix'],
    ['--chrooteveryone'],
    ['--noanonymous'],
    ['--dontresolve'],
    ['--ipv4only'],
    ['--syslogfacility', 'none'],
    ['--umask', '022:022'],
    ['--maxclientsnumber', '500'],
    ['--maxclientsperip', '500'],
    ['--maxidletime', '10'],
    // Files in one listing, and depth: the default hides everything after the first 10,000.
    ['--limitrecursion', '200000:20'],
    ['--pidfile', `${input.folder}/pure-ftpd.pid`],
  ]
  return {
    protocol: 'ftp',
    command: `${input.root}/usr/sbin/pure-ftpd`,
    args: [...options.flat(), ...input.settings],
    files: {},
    chrooted: true,
  }
}
