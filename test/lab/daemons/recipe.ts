import type { Protocol } from '../../../src/storage/driver.js'

export type DaemonKind = 'proftpd' | 'proftpd-ftps' | 'proftpd-ftps-implicit' | 'vsftpd' | 'pure-ftpd' | 'sshd'

/** What a recipe may use. All paths are inside the world. */
export interface RecipeInput {
  readonly port: number
  /** The daemon's own folder for configuration, logs and pid files. */
  readonly folder: string
  /** The unpacked packages. */
  readonly root: string
  readonly authUserFile: string
  readonly tls: { readonly certFile: string; readonly keyFile: string }
  readonly hostKeyFile: string
  readonly authorizedKeys: string
  /** Whether it stands on the machine of the lab: programs can be run, and accounts come and go. */
  readonly machine: boolean
  /** Extra lines for the configuration file, e.g. `AllowOverwrite off`. */
  readonly settings: readonly string[]
}

/** How to run one kind of daemon in the foreground. */
export interface Recipe {
  readonly protocol: Protocol
  readonly command: string
  readonly args: readonly string[]
  /** Configuration files to write first: name in `folder` to text. */
  readonly files: Readonly<Record<string, string>>
  /** Shell commands inside, before the daemon. */
  readonly prepare?: string
  /** True when every login is locked into its home and sees it as `/`. */
  readonly chrooted: boolean
}

export const configText = (lines: readonly string[]): string => lines.join('\n') + '\n'
