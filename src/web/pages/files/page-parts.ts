import { icon } from '../../page/icon.js'

/** JSON for a `<script type="application/json">`: nothing in it ends the element or opens another one. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => {
    return '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0')
  })
}

/** Icons as symbols, once for a page: each row refers to them by `#icon-<name>`. */
export function symbolsOf(names: readonly string[]): string {
  return [...new Set(names)]
    .map((name) => {
      const body = icon(name).replace(/^[^>]*>|<\/svg>\s*$/g, '')
      return `<symbol id="icon-${name}" viewBox="0 0 16 16">${body}</symbol>`
    })
    .join('')
}
