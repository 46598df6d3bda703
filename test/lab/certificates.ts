import { createHash, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { must } from './run.js'

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** `SHA256:…` over the DER, base64 without padding. */
  readonly fingerprint: string
}

/** A self-signed certificate for 127.0.0.1. */
export async function makeCertificate(folder: string, env: NodeJS.ProcessEnv): Promise<Certificate> {
  const certFile = path.join(folder, 'tls.crt')
  const keyFile = path.join(folder, 'tls.key')
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  await must('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', certFile], { env })
  const der = new X509Certificate(await readFile(certFile)).raw
  return { certFile, keyFile, fingerprint: fingerprintOf(der) }
}

/** A fresh SSH host key; `fingerprint` is in OpenSSH's form. */
export async function makeHostKey(folder: string, env: NodeJS.ProcessEnv) {
  const keyFile = path.join(folder, 'host_key')
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', keyFile], { env })
  const blob = (await readFile(`${keyFile}.pub`, 'utf8')).split(' ')[1] ?? ''
  return { keyFile, fingerprint: fingerprintOf(Buffer.from(blob, 'base64')) }
}

function fingerprintOf(bytes: Buffer): string {
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`
}
