import { z } from 'zod'

/** An absolute path without `.`, `..`, empty segments, control characters or what ends a field of passwd files. */
export const absolutePath = z
  .string()
  .max(1024)
  .regex(/^(\/[^/:\p{Cc}]+)+$/u, 'must be an absolute path without control characters, colons or a slash at the end')
  .refine((path) => !/\/\.{1,2}(\/|$)/.test(path), 'must not hold . or ..')

const fingerprints = z
  .array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'must be a fingerprint like SHA256:…'))
  .min(1)
  .max(8)

/**
 * Where programs are run, when that is not the server's own SFTP address with its admin login. The host key is pinned here;
 * the login's password or key is a `ProvisionerSecret`.
 */
const ssh = z.strictObject({
  /** The server's own host when left out. */
  host: z.string().min(1).max(255).optional(),
  port: z.int().min(1).max(65535).default(22),
  username: z.string().min(1).max(64),
  fingerprints,
})
export type SshSettings = z.output<typeof ssh>

/** Folder right below which homes are; nothing outside of it is ever made, moved or given away. */
const homeBase = (path: string) => absolutePath.default(path)

const uid = z.int().min(1000).max(59_999)
/** Each account gets a uid of its own from here, and a group of the same number. */
const uids = z
  .strictObject({ from: uid.default(20_000), to: uid.default(29_999) })
  .refine(({ from, to }) => from <= to, 'from must not be above to')
  .prefault({})

const argument = z
  .string()
  .max(4096)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')
const command = z.array(argument).min(1).max(64)

export const provisionerSettings = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('folder'),
    /** Where homes are; where the admin login lands when left out. */
    base: absolutePath.optional(),
  }),
  z.strictObject({
    kind: z.literal('system'),
    ssh: ssh.optional(),
    homeBase: homeBase('/home'),
    /** No login by a shell; SFTP works with `internal-sftp`. */
    shell: absolutePath.default('/usr/sbin/nologin'),
    /** Further groups of new accounts; they must exist. */
    groups: z
      .array(z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/))
      .max(16)
      .default([]),
    /** Folder of root's with one file of public keys for each account, as in `AuthorizedKeysFile <folder>/%u`. */
    authorizedKeys: absolutePath.optional(),
  }),
  z.strictObject({
    kind: z.literal('proftpd-file'),
    ssh: ssh.optional(),
    userFile: absolutePath.default('/etc/proftpd/ftpd.passwd'),
    /** Each account gets a group of its own here, when given. */
    groupFile: absolutePath.optional(),
    homeBase: homeBase('/srv/ftp'),
    shell: absolutePath.default('/usr/sbin/nologin'),
    uids,
  }),
  z.strictObject({
    kind: z.literal('pure-ftpd'),
    ssh: ssh.optional(),
    program: absolutePath.default('/usr/bin/pure-pw'),
    passwdFile: absolutePath.default('/etc/pure-ftpd/pureftpd.passwd'),
    database: absolutePath.default('/etc/pure-ftpd/pureftpd.pdb'),
    homeBase: homeBase('/srv/ftp'),
    uids,
  }),
  z.strictObject({
    kind: z.literal('sftpgo'),
    /** Address of its web admin, e.g. `https://files.example.org:8080`; the API is below `/api/v2`. */
    url: z.url({ protocol: /^https?$/ }).max(1024),
    /** Pins the certificate; without it the system's CAs decide. */
    fingerprints: fingerprints.optional(),
    /** Administrator of SFTPGo, with a password; left out with an API key. */
    username: z.string().min(1).max(255).optional(),
    homeBase: homeBase('/srv/sftpgo/data'),
    /** Permissions of new users on their root. */
    permissions: z
      .array(z.string().regex(/^(\*|[a-z_]+)$/))
      .min(1)
      .max(32)
      .default(['*']),
  }),
  z.strictObject({
    kind: z.literal('command'),
    ssh: ssh.optional(),
    /** `gateway`: programs in the folder that the gateway's configuration names, and no others. */
    where: z.enum(['ssh', 'gateway']).default('ssh'),
    homeBase: homeBase('/home'),
    /** Accounts by password, by public key, or both. */
    secrets: z
      .array(z.enum(['password', 'key']))
      .min(1)
      .max(2)
      .default(['password']),
    /** Program and arguments; `{name}`, `{home}`, `{mark}`, `{keep}` in an argument are replaced. A step left out cannot be done. */
    commands: z.strictObject({
      read: command,
      makeHome: command.optional(),
      create: command.optional(),
      setSecret: command.optional(),
      setHome: command.optional(),
      enable: command.optional(),
      disable: command.optional(),
      archiveHome: command.optional(),
      remove: command.optional(),
    }),
  }),
])

/** How the accounts of one server are managed. Holds no secret. */
export type ProvisionerSettings = z.output<typeof provisionerSettings>
export type SettingsOf<K extends ProvisionerSettings['kind']> = Extract<ProvisionerSettings, { kind: K }>

/** What `ssh.username` or sftpgo's administrator logs in with. Kept encrypted, apart from the settings. */
export const provisionerSecret = z.strictObject({
  password: z.string().min(1).max(1024).optional(),
  privateKey: z.string().min(1).max(16_384).optional(),
  passphrase: z.string().min(1).max(1024).optional(),
  apiKey: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[\x21-\x7e]+$/)
    .optional(),
})
export type ProvisionerSecret = z.output<typeof provisionerSecret>
