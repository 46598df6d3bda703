import path from 'node:path'
import { configText, type Recipe, type RecipeInput } from './recipe.js'

/** sshd_config(5), sftp-server(8) */
export function sshd(input: RecipeInput): Recipe {
  const config = path.join(input.folder, 'sshd_config')
  const lines = [
    'ListenAddress 127.0.0.1',
    `Port ${input.port}`,
    'AddressFamily inet',
    `HostKey ${input.hostKeyFile}`,
    `PidFile ${input.folder}/sshd.pid`,
    `AuthorizedKeysFile ${input.authorizedKeys}/%u.pub`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication yes',
    'PubkeyAuthentication yes',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin no',
    'UseDNS no',
    'PrintMotd no',
    'MaxStartups 1000',
    'MaxSessions 100',
    'MaxAuthTries 20',
    'LoginGraceTime 60',
    `Subsystem sftp ${input.root}/usr/lib/openssh/sftp-server -u 022`,
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
