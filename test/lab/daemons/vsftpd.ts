import path from 'node:path'
import { configText, type Recipe, type RecipeInput } from './recipe.js'

/** https://security.appspot.com/vsftpd/vsftpd_conf.html. It has no MLSD and no MFMT. */
export function vsftpd(input: RecipeInput): Recipe {
  const lines = [
    'listen=YES',
    'listen_ipv6=NO',
    'listen_address=127.0.0.1',
    `listen_port=${input.port}`,
    'background=NO',
    'anonymous_enable=NO',
    'local_enable=YES',
    'write_enable=YES',
    'local_umask=022',
    'chroot_local_user=NO',
    'pam_service_name=vsftpd',
    'secure_chroot_dir=/run/vsftpd/empty',
    'nopriv_user=nobody',
    'use_localtime=NO',
    'mdtm_write=YES',
    'utf8_filesystem=YES',
    'delay_failed_login=0',
    'delay_successful_login=0',
    'max_clients=0',
    'max_per_ip=0',
    'idle_session_timeout=600',
    'data_connection_timeout=120',
    // Sessions stay in the process namespace in which the lab looks for them.
    'isolate=NO',
    'isolate_network=NO',
    'xferlog_enable=NO',
    'syslog_enable=NO',
    'log_ftp_protocol=NO',
    ...input.settings,
  ]
  const pam = ['auth required pam_unix.so nodelay', 'account required pam_unix.so', 'session required pam_permit.so']
  return {
    protocol: 'ftp',
    command: `${input.root}/usr/sbin/vsftpd`,
    args: [path.join(input.folder, 'vsftpd.conf')],
    files: { 'vsftpd.conf': configText(lines), 'pam.vsftpd': configText(pam) },
    prepare: [
      'mkdir -p /run/pam.d',
      `cp ${input.folder}/pam.vsftpd /run/pam.d/vsftpd`,
      'mount --bind /run/pam.d /etc/pam.d',
    ].join(' && '),
    chrooted: false,
  }
}
