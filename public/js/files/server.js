// How the scripts of the files pages talk to the gateway.

const token = document.querySelector('meta[name="csrf-token"]').content

/** What the gateway said no with. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? 'The gateway did not answer as expected.')
    this.status = status
    this.code = problem.code ?? ''
  }
}

/** Of an XMLHttpRequest or a fetch that was answered. */
export function refusal(status, text) {
  if (status === 401)
    return new Refused(status, { code: 'UNAUTHENTICATED', detail: 'You are logged out. Load the page again.' })
  try {
    return new Refused(status, JSON.parse(text))
  } catch {
    return new Refused(status, {})
  }
}

/** A form, as fields or pairs; gives the JSON of the answer. @throws Refused, TypeError when nobody answers */
export async function post(url, fields) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'X-CSRF-Token': token, Accept: 'application/json' },
    body: new URLSearchParams(fields),
  })
  const text = await response.text()
  if (!response.ok) throw refusal(response.status, text)
  return JSON.parse(text)
}

export async function get(url, { fresh = false } = {}) {
  const response = await fetch(url, {
    headers: { Accept: 'application/json', ...(fresh ? { 'Cache-Control': 'no-cache' } : {}) },
  })
  const text = await response.text()
  if (!response.ok) throw refusal(response.status, text)
  return JSON.parse(text)
}

/** The body is the file itself. `onProgress` hears of the bytes that left. Rejects with Refused, or TypeError when the connection broke. */
export function put(url, file, { overwrite, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    request.setRequestHeader('X-CSRF-Token', token)
    request.setRequestHeader('Accept', 'application/json')
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    if (!overwrite) request.setRequestHeader('If-None-Match', '*')
    if (file.lastModified > 0) request.setRequestHeader('X-OC-Mtime', String(Math.floor(file.lastModified / 1000)))
    request.upload.onprogress = (event) => onProgress(event.loaded)
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(request.status, request.responseText)))
    request.onerror = () => reject(new TypeError('The connection broke.'))
    request.onabort = () => reject(new DOMException('Cancelled.', 'AbortError'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

/** Path part of a URL below `folder` (which ends in a slash). */
export function hrefIn(folder, ...names) {
  return folder + names.map(encodeURIComponent).join('/')
}
