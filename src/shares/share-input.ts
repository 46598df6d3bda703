import { z } from 'zod'
import { endDate } from '../parse-input.js'
import { isInsideMount } from '../vfs/virtual-path.js'

/** A file or folder below a server's folder: whole servers are the administrator's to give. */
const path = z
  .string()
  .max(4096, 'must not be longer than 4096 characters')
  .refine(isInsideMount, 'must be a file or folder inside a server, e.g. /server2/report.pdf')

const recipient = z
  .string()
  .trim()
  .min(1, 'must be the username of somebody here')
  .max(64, 'must not be longer than 64 characters')
  .toLowerCase()

const note = z
  .string()
  .trim()
  .max(500, 'must not be longer than 500 characters')
  // eslint-disable-next-line no-control-regex
  .refine((text) => text.isWellFormed() && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text), 'must be plain text')

const endsAt = endDate.refine((date) => date.getTime() > Date.now(), 'must be in the future')

/** What can be said about a share later; null: no end. */
export const shareChanges = z.strictObject({ note: note.optional(), endsAt: endsAt.nullable().optional() })
export type ShareChanges = z.input<typeof shareChanges>

export const newShare = shareChanges.extend({ path, recipient })
export type NewShare = z.input<typeof newShare>
