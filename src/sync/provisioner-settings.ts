import { z } from 'zod'
import type { Problem } from '../errors.js'

/** An absolute path without `.`, `..`, empty segments, control characters or what ends a field of passwd files. */
export const absolutePath = z
  .string()
  .max(1024)
  .regex(/^(\/[^/:\p{Cc}]+)+$/u, 'must be an absolute path without control characters, colons or a slash at the end')
  .refine((path) => !/\/\.{1,2}(\/|$)/.test(path), 'must not hold . or ..')

const fingerprint = z
  .string()
  .regex(
    /^SHA256:[A-Za-z0-9+/]{43}=?$/,
    'must be a fingerprint: SHA256: and 43 characters, as `ssh-keygen -l` prints it',
  )
const fingerprints = z.array(fingerprint).min(1).max(8)

/** A whole number, with the range in what is said of anything else. */
function whole(from: number, to: number) {
  const message = `must be a whole number from ${from} to ${to}`
  return z.number({ error: message }).int(message).min(from, message).max(to, message)
}

/**
 * Where programs are run, when that is not the server's own SFTP address with its admin login. The host key is pinned here;
 * the login's password or key is a `ProvisionerSecret`.
 */
const ssh = z.strictObject({
  host: z.string().min(1).max(255).optional().meta({
    title: 'Host',
    description: 'Where SSH listens. Left out: the server’s own host.',
  }),
  port: whole(1, 65_535).default(22).meta({ title: 'Port' }),
  username: z.string().min(1).max(64).meta({
    title: 'Login',
    description:
      'Runs the programs: root, or an account that may do so by sudo. See the guide for the lines of sudoers.',
  }),
  fingerprints: fingerprints.meta({
    title: 'Host key',
    description: 'Fingerprint, as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it there: SHA256:…',
  }),
})
export type SshSettings = z.output<typeof ssh>
const otherSsh = ssh.optional().meta({
  title: 'SSH login',
  description: 'Where it is not the SFTP address of this server with its admin login.',
})

/** Folder right below which homes are; nothing outside of it is ever made, moved or given away. */
const homeBase = (path: string) =>
  absolutePath.default(path).meta({
    title: 'Folder for homes',
    description:
      'Homes are right below it, and nothing outside of it is ever touched. It must be there, writable for root alone.',
  })

const uid = whole(1000, 59_999)
/** Each account gets a uid of its own from here, and a group of the same number. */
const uids = z
  .strictObject({
    from: uid.default(20_000).meta({ title: 'From' }),
    to: uid.default(29_999).meta({ title: 'To' }),
  })
  .refine(({ from, to }) => from <= to, { error: 'must not be below the first', path: ['to'] })
  .prefault({})
  .meta({ title: 'Numbers of accounts', description: 'Each account gets a uid and a group of its own out of these.' })

const shell = absolutePath.default('/usr/sbin/nologin').meta({
  title: 'Shell of new accounts',
  description: 'No login by a shell; SFTP works where sshd has `internal-sftp`.',
})

const argument = z
  .string()
  .max(4096)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')
const command = z.array(argument).min(1).max(64)
const step = (title: string, description: string) => command.optional().meta({ title, description })

/**
 * Each kind with its settings: the only place that a new one needs for REST, CLI and the page's form. `title` and
 * `description` are the labels and helps of the form, and stand in the description of the API.
 */
export const provisionerSettings = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('folder'),
      base: absolutePath.optional().meta({
        title: 'Folder for homes',
        description: 'Left out: where the admin login lands.',
      }),
    })
    .meta({
      title: 'Home folders only',
      description:
        'Makes a folder for each user by FTP, FTPS or SFTP, on any server, with the server’s admin login. Makes no accounts.',
    }),
  z
    .strictObject({
      kind: z.literal('system'),
      ssh: otherSsh,
      homeBase: homeBase('/home'),
      shell,
      groups: z
        .array(z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of a group'))
        .max(16)
        .default([])
        .meta({ title: 'Further groups', description: 'Of new accounts. They must exist.' }),
      authorizedKeys: absolutePath.optional().meta({
        title: 'Folder for public keys',
        description:
          'Needed where accounts log in with keys: root’s, with `AuthorizedKeysFile <folder>/%u` in sshd_config.',
      }),
    })
    .meta({
      title: 'Unix accounts',
      description: 'useradd and its siblings over SSH, as root or by sudo: for OpenSSH, vsftpd, and proftpd with PAM.',
    }),
  z
    .strictObject({
      kind: z.literal('proftpd-file'),
      ssh: otherSsh,
      userFile: absolutePath.default('/etc/proftpd/ftpd.passwd').meta({
        title: 'File of accounts',
        description: 'What `AuthUserFile` names. It must be there.',
      }),
      groupFile: absolutePath.optional().meta({
        title: 'File of groups',
        description: 'What `AuthGroupFile` names. With it each account gets a group of its own.',
      }),
      homeBase: homeBase('/srv/ftp'),
      shell,
      uids,
    })
    .meta({
      title: 'proftpd with AuthUserFile',
      description: 'Virtual accounts in a file of proftpd, edited over SSH, as root or by sudo.',
    }),
  z
    .strictObject({
      kind: z.literal('pure-ftpd'),
      ssh: otherSsh,
      program: absolutePath.default('/usr/bin/pure-pw').meta({ title: 'Path of pure-pw' }),
      passwdFile: absolutePath.default('/etc/pure-ftpd/pureftpd.passwd').meta({
        title: 'File of accounts',
        description: 'It must be there.',
      }),
      database: absolutePath.default('/etc/pure-ftpd/pureftpd.pdb').meta({
        title: 'Database',
        description: 'What pure-ftpd is started with, as `-lpuredb:<file>`.',
      }),
      homeBase: homeBase('/srv/ftp'),
      uids,
    })
    .meta({
      title: 'pure-ftpd with puredb',
      description: 'Virtual accounts by pure-pw over SSH, as root or by sudo.',
    }),
  z
    .strictObject({
      kind: z.literal('sftpgo'),
      url: z
        .url({ protocol: /^https?$/, error: 'must be an address such as https://files.example.org:8080' })
        .max(1024)
        .meta({ title: 'Address', description: 'Of its web admin, such as https://files.example.org:8080' }),
      fingerprints: fingerprints.optional().meta({
        title: 'Certificate',
        description: 'Its fingerprint: SHA256:… Left out: the system’s certificate authorities decide.',
      }),
      username: z.string().min(1).max(255).optional().meta({
        title: 'Administrator',
        description: 'Name of an administrator of SFTPGo, who logs in with the password. Left out with an API key.',
      }),
      homeBase: homeBase('/srv/sftpgo/data').meta({
        title: 'Folder for homes',
        description: 'Homes are right below it. SFTPGo makes them itself.',
      }),
      permissions: z
        .array(z.string().regex(/^(\*|[a-z_]+)$/, 'must be * or a permission of SFTPGo, such as download'))
        .min(1)
        .max(32)
        .default(['*'])
        .meta({ title: 'Permissions', description: 'Of new users on their root. * is all.' }),
    })
    .meta({ title: 'SFTPGo', description: 'Users of SFTPGo by its REST API.' }),
  z
    .strictObject({
      kind: z.literal('command'),
      where: z.enum(['ssh', 'gateway']).default('ssh').meta({
        title: 'Commands run',
        description:
          'On the gateway: programs in the folder that its configuration names (`sync.commandsFolder`), and no others.',
      }),
      ssh: otherSsh,
      homeBase: homeBase('/home'),
      secrets: z
        .array(z.enum(['password', 'key']))
        .min(1, 'must name one at least')
        .max(2)
        .default(['password'])
        .meta({ title: 'Secrets that the commands take' }),
      commands: z
        .strictObject({
          read: command.meta({ title: 'Read', description: 'Prints all accounts as JSON, as the guide says.' }),
          makeHome: step('Make a home', 'As: accounts, home, {name}, {home}'),
          create: step('Create', 'As: accounts, create, {name}, {home}, {mark}. The secret comes on standard input.'),
          setSecret: step('Set a secret', 'The secret comes on standard input.'),
          setHome: step('Change the home', 'As: accounts, move, {name}, {home}'),
          enable: step('Enable', 'As: accounts, enable, {name}'),
          disable: step('Disable', 'As: accounts, disable, {name}'),
          archiveHome: step('Archive a home', 'Prints the new path.'),
          remove: step('Remove', 'The account, never its files.'),
        })
        .meta({
          title: 'Commands',
          description:
            'Program and arguments, in which {name}, {home}, {mark} and {keep} are replaced. What has no command cannot be done.',
        }),
    })
    .meta({
      title: 'Own commands',
      description: 'Everything else: commands that you write, over SSH or on the gateway.',
    }),
])

/** How the accounts of one server are managed. Holds no secret. */
export type ProvisionerSettings = z.output<typeof provisionerSettings>
export type SettingsOf<K extends ProvisionerSettings['kind']> = Extract<ProvisionerSettings, { kind: K }>

/** What `ssh.username` or sftpgo's administrator logs in with. Kept encrypted, apart from the settings. */
export const provisionerSecret = z.strictObject({
  password: z.string().min(1).max(1024).optional().meta({ title: 'Password' }),
  privateKey: z.string().min(1).max(16_384).optional().meta({
    title: 'Private key',
    description: 'Better than a password. In the form of OpenSSH or PEM.',
  }),
  passphrase: z.string().min(1).max(1024).optional().meta({ title: 'Passphrase of the key' }),
  apiKey: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[\x21-\x7e]+$/, 'must not hold spaces or letters outside of ASCII')
    .optional()
    .meta({ title: 'API key', description: 'Of scope admin, for the administrator. Instead of name and password.' }),
})
export type ProvisionerSecret = z.output<typeof provisionerSecret>
export type ProvisionerSecretName = keyof ProvisionerSecret

const { password, privateKey, passphrase, apiKey } = provisionerSecret.shape
/** What an admin says of a `ProvisionerSecret`, field by field: what is left out stays, null forgets it. */
export const secretChanges = z.strictObject({
  password: password.nullable(),
  privateKey: privateKey.nullable(),
  passphrase: passphrase.nullable(),
  apiKey: apiKey.nullable(),
})
export type SecretChanges = z.output<typeof secretChanges>

const OF_SSH = ['password', 'privateKey', 'passphrase'] as const

/** What of a `ProvisionerSecret` a kind has a use for, and whether its accounts can be given keys. */
export const SECRETS_OF_KIND: Readonly<
  Record<ProvisionerSettings['kind'], { readonly login: readonly ProvisionerSecretName[]; readonly keys: boolean }>
> = {
  folder: { login: [], keys: false },
  system: { login: OF_SSH, keys: true },
  'proftpd-file': { login: OF_SSH, keys: false },
  'pure-ftpd': { login: OF_SSH, keys: false },
  sftpgo: { login: ['password', 'apiKey'], keys: true },
  command: { login: OF_SSH, keys: true },
}

/**
 * Why accounts of these settings cannot be given keys, each problem at the field where it is mended.
 * @param settings as they were written, right or wrong
 */
export function keyProblems(settings: Readonly<Record<string, unknown>>): Problem[] {
  const { kind } = settings
  if (typeof kind === 'string' && kind in SECRETS_OF_KIND) {
    const { keys } = SECRETS_OF_KIND[kind as ProvisionerSettings['kind']]
    if (!keys) return [{ field: 'secretKind', message: `must be password: accounts of the kind ${kind} take no keys` }]
  }
  if (kind === 'system' && settings.authorizedKeys === undefined) {
    const message = 'is needed where accounts log in with keys, such as /etc/ssh/authorized_keys'
    return [{ field: 'settings.authorizedKeys', message }]
  }
  if (kind === 'command' && !(Array.isArray(settings.secrets) && settings.secrets.includes('key'))) {
    return [{ field: 'settings.secrets', message: 'must hold keys where accounts log in with them' }]
  }
  return []
}
