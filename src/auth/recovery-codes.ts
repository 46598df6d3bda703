import type { Transaction } from 'sequelize'
import type { Models } from '../db/models/define-models.js'
import { randomText, sha256 } from './secret-text.js'

const COUNT = 10
/** 80 bits: enough to be stored as SHA-256. */
const LENGTH = 16

/** Replaces all codes of a user. @returns the new ones, for their only showing, as `xxxx-xxxx-xxxx-xxxx` */
export async function renewRecoveryCodes(
  { RecoveryCode }: Models,
  userId: number,
  transaction: Transaction,
): Promise<string[]> {
  const codes = Array.from({ length: COUNT }, () => randomText(LENGTH))
  await RecoveryCode.destroy({ where: { userId }, transaction })
  await RecoveryCode.bulkCreate(
    codes.map((code) => ({ userId, codeHash: sha256(code) })),
    { transaction },
  )
  return codes.map((code) => (code.match(/.{4}/g) ?? []).join('-'))
}

/** Uses a code up: of two who come with the same one, one finds it. @returns false when there is no such code */
export async function useRecoveryCode(
  { RecoveryCode }: Models,
  userId: number,
  code: string,
  transaction: Transaction,
): Promise<boolean> {
  const used = await RecoveryCode.destroy({ where: { userId, codeHash: sha256(code) }, transaction })
  return used === 1
}

/** What somebody typed from paper, in the form of a code; undefined when it cannot be one. */
export function readRecoveryCode(typed: string): string | undefined {
  // Crockford: o, i and l are not in the alphabet, so that they can only be misread digits.
  const code = typed.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1')
  return /^[0-9a-z]{16}$/.test(code) ? code : undefined
}
