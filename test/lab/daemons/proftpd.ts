import path from 'node:path'
import { configText, type Recipe, type RecipeInput } from './recipe.js'

/** http://www.proftpd.org/docs/directives/configuration_full.html, http://www.proftpd.org/docs/contrib/mod_tls.html */
export function proftpd(input: RecipeInput, tls: 'none' | 'explicit' | 'implicit'): Recipe {
  const { folder, root } = input
  const config = path.join(folder, 'proftpd.conf')
  const tlsLines = [
    'LoadModule mod_tls.c',
    'TLSEngine on',
    'TLSRequired on',
    'TLSVerifyClient off',
    `TLSECCertificateFile ${input.tls.certFile}`,
    `TLSECCertificateKeyFile ${input.tls.keyFile}`,
    // Without NoSessionReuseRequired a data connection must resume the session of its control connection.
    ...(tls === 'implicit' ? ['TLSOptions UseImplicitSSL'] : []),
  ]
  const lines = [
    `ModulePath ${root}/usr/lib/proftpd`,
    'ServerName lab',
    'ServerType standalone',
    'DefaultAddress 127.0.0.1',
    `Port ${input.port}`,
    'UseIPv6 off',
    'DefaultServer on',
    'User nobody',
    'Group nogroup',
    'UseReverseDNS off',
    'WtmpLog off',
    'TransferLog none',
    'DelayEngine off',
    'AuthOrder mod_auth_file.c',
    `AuthUserFile ${input.authUserFile}`,
    'RequireValidShell off',
    'Umask 022',
    ...(input.settings.some((line) => line.startsWith('AllowOverwrite ')) ? [] : ['AllowOverwrite on']),
    'AllowStoreRestart on',
    'TimesGMT on',
    'MaxInstances none',
    `PidFile ${folder}/proftpd.pid`,
    'ScoreboardFile none',
    `SystemLog ${folder}/proftpd.log`,
    ...(tls === 'none' ? [] : tlsLines),
    ...input.settings,
  ]
  return {
    protocol: tls === 'none' ? 'ftp' : tls === 'explicit' ? 'ftps' : 'ftps-implicit',
    command: `${root}/usr/sbin/proftpd`,
    args: ['--nodaemon', '--quiet', '--config', config],
    files: { 'proftpd.conf': configText(lines) },
    chrooted: false,
  }
}
