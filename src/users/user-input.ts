import { z } from 'zod'

export const ROLES = ['user', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const username = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._@-]{0,63}$/,
    'must be 1 to 64 lower-case letters, digits or . _ @ - and begin with a letter or digit',
  )

/** Not trimmed: blanks count. The upper bound keeps hashing cheap. */
export const password = z
  .string()
  .refine((text) => [...text].length >= 8, 'must have at least 8 characters')
  .refine((text) => Buffer.byteLength(text) <= 1024, 'must not be longer than 1024 bytes')
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be text without NUL')

export const role = z.enum(ROLES, { error: 'must be "user" or "admin"' })

/** What the HMAC and bcrypt of `auth/password-hasher.ts` make, as `ftpcluster export` writes it. */
const passwordHash = z
  .string()
  .regex(/^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/, 'must be a hash from "ftpcluster export"')

export const hashedPassword = z.strictObject({ hash: passwordHash })

export const newUser = z.strictObject({
  username,
  password: z.union([password, hashedPassword], { error: (issue) => reasonOf(issue) }),
  role: role.default('user'),
  /** At the first login, before anything else. */
  mustChangePassword: z.boolean().default(false),
})

export type NewUser = z.input<typeof newUser>

/** What is wrong with the password itself: nobody types a hash. */
function reasonOf(issue: z.core.$ZodRawIssue): string {
  const reason = issue.code === 'invalid_union' && typeof issue.input === 'string' && issue.errors[0]?.[0]?.message
  return reason || 'must be a password of 8 characters to 1024 bytes'
}
