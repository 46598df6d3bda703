import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { TlsConfig } from '../config/config.js'
import { messageOf, ValidationError, type Problem } from '../errors.js'

export interface Certificate {
  /** PEM, with the chain. */
  readonly cert: string
  /** PEM. */
  readonly key: string
  /** SHA-256 in hex with colons, as browsers show it. */
  readonly fingerprint: string
}

export interface CertificateOptions {
  readonly tls: Exclude<TlsConfig, { mode: 'off' }>
  readonly dataDir: string
  readonly publicUrl?: string | undefined
}

const DAY = 86_400_000
/** macOS takes no longer one, even when somebody trusts it. */
const VALID_DAYS = 825
const RENEW_DAYS = 14

/**
 * The gateway's own certificate and key: the files that the admin names, or a self-signed pair that is made once into the
 * data folder and again only when it runs out or does not cover the public name.
 * @throws ValidationError naming the option whose file cannot be used
 */
export async function loadCertificate(options: CertificateOptions): Promise<Certificate> {
  if (options.tls.mode === 'files') return fromFiles(options.tls.cert, options.tls.key)
  const names = namesOf(options.publicUrl)
  return (await existing(options.dataDir, names)) ?? (await create(options.dataDir, names))
}

async function fromFiles(certFile: string, keyFile: string): Promise<Certificate> {
  const problems: Problem[] = []
  const read = async <T>(field: string, file: string, parse: (pem: string) => T) => {
    try {
      const pem = await readFile(file, 'utf8')
      return { pem, parsed: parse(pem) }
    } catch (error) {
      problems.push({ field, message: `${file} cannot be used: ${messageOf(error)}` })
      return undefined
    }
  }
  const cert = await read('tlsCert', certFile, (pem) => new X509Certificate(pem))
  const key = await read('tlsKey', keyFile, (pem) => createPrivateKey(pem))
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed)) {
    problems.push({ field: 'tlsKey', message: `${keyFile} is not the key of the certificate in ${certFile}` })
  }
  if (!cert || !key || problems.length > 0) throw new ValidationError(problems)
  return { cert: cert.pem, key: key.pem, fingerprint: cert.parsed.fingerprint256 }
}

function filesIn(dataDir: string) {
  return { certFile: join(dataDir, 'tls-cert.pem'), keyFile: join(dataDir, 'tls-key.pem') }
}

async function existing(dataDir: string, names: readonly string[]): Promise<Certificate | undefined> {
  const { certFile, keyFile } = filesIn(dataDir)
  let pair: Certificate
  try {
    pair = await fromFiles(certFile, keyFile)
  } catch (error) {
    // Not there yet, or half written by a start that was cut: nothing that making it anew could lose.
    if (error instanceof ValidationError) return undefined
    throw error
  }
  const certificate = new X509Certificate(pair.cert)
  const lasts = Date.parse(certificate.validTo) - Date.now() > RENEW_DAYS * DAY
  const covers = names.every(
    (name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined,
  )
  return lasts && covers ? pair : undefined
}

async function create(dataDir: string, names: readonly string[]): Promise<Certificate> {
  // Once in two years: a start need not wait for it.
  const { generate } = await import('selfsigned')
  const pair = await generate([{ name: 'commonName', value: 'FTPCluster' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + VALID_DAYS * DAY),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
      },
    ],
  })
  const { certFile, keyFile } = filesIn(dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await replaceFile(keyFile, pair.private, 0o600)
  await replaceFile(certFile, pair.cert, 0o644)
  return { cert: pair.cert, key: pair.private, fingerprint: new X509Certificate(pair.cert).fingerprint256 }
}

async function replaceFile(file: string, content: string, mode: number): Promise<void> {
  const temporary = `${file}.new`
  await writeFile(temporary, content, { mode })
  await rename(temporary, file)
}

function namesOf(publicUrl: string | undefined): string[] {
  const own = hostname()
  const names = new Set(['localhost', '127.0.0.1', '::1'])
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(own)) names.add(own.toLowerCase())
  if (publicUrl !== undefined) names.add(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''))
  return [...names]
}
