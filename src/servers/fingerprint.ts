/**
 * The fingerprint as drivers compare it, `SHA256:` and 43 characters of base64, from what people paste: the same with
 * padding (ssh-keygen, FTPCluster) or 32 bytes in hex, as openssl prints them for certificates. Undefined for anything else.
 */
export function normalizeFingerprint(text: string): string | undefined {
  const hex = /^(?:SHA-?256(?: Fingerprint)?[:=] ?)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})$/i.exec(text.trim())?.[1]
  if (hex !== undefined) {
    const bytes = Buffer.from(hex.replaceAll(':', ''), 'hex')
    return `SHA256:${bytes.toString('base64').replace(/=+$/, '')}`
  }
  const base64 = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text.trim())?.[1]
  return base64 === undefined ? undefined : `SHA256:${base64}`
}
