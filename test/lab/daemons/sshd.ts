import path from 'node:path'
import { configText, type Recipe, type RecipeInput } from './recipe.js'

/** Where the packages' sftp-server is. */
export const sftpServer = (root: string): string => `${root}/usr/lib/openssh/sftp-server`

/** On the machine the one that is built in: accounts there have a shell that lets nobody in. */
const subsystem = ({ machine, root }: RecipeInput): string =>
  `Subsystem sftp ${machine ? 'internal-sftp' : sftpServer(root)} -u 022`

/** sshd_config(5), sftp-server(8) */
export function sshd(input: RecipeInput): Recipe {
  const config = path.join(input.folder, 'sshd_config')
  const lines = [
    'ListenAddress 127.0.0.1',
    `Port ${input.port}`,
    'AddressFamily inet',
    `HostKey ${input.hostKeyFile}`,
    `PidFile ${input.folder}/sshd.pid`,
    `AuthorizedKeysFile ${input.authorizedKeys}/${input.machine ? '%u' : '%u.pub'}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication yes',
    'PubkeyAuthentication yes',
    'KbdInteractiveAuthentication no',
    `PermitRootLogin ${input.machine ? 'prohibit-password' : 'no'}`,
    'UseDNS no',
    'PrintMotd no',
    'MaxStartups 1000',
    'MaxSessions 100',
    'MaxAuthTries 20',
    'LoginGraceTime 60',
    // sshd takes one subsystem of a name.
    ...(input.settings.some((line) => line.startsWith('Subsystem sftp ')) ? [] : [subsystem(input)]),
    ...(input.machine ? [`SetEnv PATH=${input.root}/usr/bin:/usr/bin:/bin`] : []),
    ...input.settings,
  ]
  return {
    protocol: 'sftp',
    command: `${input.root}/usr/sbin/sshd`,
    args: ['-D', '-e', '-f', config],
    files: { sshd_config: configText(lines) },
    // Since 9.8 it punishes an address for failed logins; older ones do not know the option.
    prepare: `if grep -q -i persourcepenalties ${input.root}/usr/sbin/sshd; then echo 'PerSourcePenalties no' >>${config}; fi`,
    chrooted: false,
  }
}
