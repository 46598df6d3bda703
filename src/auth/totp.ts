import { Secret, TOTP } from 'otpauth'

const PERIOD = 30

/** 160 random bits, as RFC 4226 section 4 asks for, in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32
}

/** For an authenticator app. */
export function totpUri(secret: string, username: string): string {
  return totpOf(secret, username).toString()
}

/**
 * The step (RFC 6238) that `code` belongs to: the present one, or the one before for who types slowly; undefined when it
 * is neither.
 * @param now ms since the epoch
 */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined
  const totp = totpOf(secret, 'user')
  const step = totp.counter({ timestamp: now })
  return [step, step - 1].find((candidate) => totp.generate({ timestamp: candidate * PERIOD * 1000 }) === code)
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({ issuer: 'FTPCluster', label, secret: Secret.fromBase32(secret), digits: 6, period: PERIOD })
}
