import type { NewShare, ShareChanges } from '../../../shares/share-input.js'
import { textsOf } from '../../page/form.js'

/** Note and end of a share, as a form has them. */
export function changesOf(body: unknown): ShareChanges & Required<Pick<ShareChanges, 'endsAt' | 'note'>> {
  const { note = '', endsAt = '' } = textsOf(body)
  // Browsers send line breaks as CR LF.
  return { note: note.replaceAll('\r\n', '\n'), endsAt: endsAt.trim() === '' ? null : endsAt.trim() }
}

export function newShareOf(body: unknown): NewShare {
  const { path = '', recipient = '' } = textsOf(body)
  return { ...changesOf(body), path, recipient }
}
