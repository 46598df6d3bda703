import { createHash } from 'node:crypto'

/** A strong tag for what `state` says: the same content has the same tag. Give what can be changed, not what ticks by itself. */
export function entityTag(state: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(state)).digest('base64url').slice(0, 22)}"`
}

/** Whether an `If-Match` or `If-None-Match` header names `tag` (RFC 9110 section 13.1). */
export function namesTag(header: string, tag: string): boolean {
  if (header.trim() === '*') return true
  return header.match(/(?:W\/)?"[^"]*"/g)?.includes(tag) ?? false
}
