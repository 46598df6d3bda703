// A queue of uploads: two at once, each file whole or not at all, again by itself after a lost connection.

import { hrefIn, post, put, Refused } from './server.js'

const AT_ONCE = 2
const PAUSES = [1000, 2000, 5000, 10_000, 20_000, 30_000]
/** Answers that may be another one in a moment. */
const AGAIN = new Set([408, 429, 502, 503, 504])

export class Uploads {
  items = []
  #running = 0
  #folders = new Map()

  constructor({ here, onChange, onDone }) {
    this.here = here
    this.onChange = onChange
    this.onDone = onDone
    addEventListener('beforeunload', (event) => {
      if (this.busy) event.preventDefault()
    })
  }

  get busy() {
    return this.items.some(({ state }) => state === 'waiting' || state === 'sending' || state === 'pausing')
  }

  add(found) {
    for (const { file, folders } of found) {
      this.items.push({
        file,
        folders,
        name: [...folders, file.name].join('/'),
        state: 'waiting',
        sent: 0,
        overwrite: false,
      })
    }
    this.#next()
  }

  /** Makes a folder that holds no file, too. */
  folder(names) {
    this.#makeFolder(names).catch(() => undefined)
  }

  cancel(item) {
    if (item.state === 'sending' || item.state === 'pausing') item.controller.abort()
    if (item.state !== 'done') this.#to(item, 'cancelled', '')
  }

  cancelAll() {
    for (const item of this.items) if (item.state !== 'done') this.cancel(item)
  }

  retry(item, { overwrite = false } = {}) {
    Object.assign(item, { overwrite: item.overwrite || overwrite, sent: 0, attempt: 0 })
    this.#to(item, 'waiting', '')
    this.#next()
  }

  clear() {
    this.items = this.items.filter(({ state }) => state === 'waiting' || state === 'sending' || state === 'pausing')
    this.#folders.clear()
    this.onChange()
  }

  #to(item, state, message) {
    item.state = state
    item.message = message
    this.onChange()
  }

  #next() {
    while (this.#running < AT_ONCE) {
      const item = this.items.find(({ state }) => state === 'waiting')
      if (!item) break
      this.#running++
      this.#send(item).finally(() => {
        this.#running--
        this.#next()
        if (!this.busy) this.onDone()
      })
    }
    this.onChange()
  }

  async #send(item) {
    item.controller = new AbortController()
    const { signal } = item.controller
    this.#to(item, 'sending', '')
    for (item.attempt = 0; ; item.attempt++) {
      try {
        if (item.folders.length > 0) await this.#makeFolder(item.folders)
        if (signal.aborted) return
        await put(hrefIn(this.here, ...item.folders, item.file.name), item.file, {
          overwrite: item.overwrite,
          signal,
          onProgress: (sent) => {
            item.sent = sent
            this.onChange()
          },
        })
        item.sent = item.file.size
        this.#to(item, 'done', '')
        return
      } catch (error) {
        if (signal.aborted) return
        const known = error instanceof Refused
        if (known && !AGAIN.has(error.status)) {
          this.#to(item, taken(error) ? 'taken' : 'failed', messageOf(error))
          return
        }
        if (item.attempt >= PAUSES.length) {
          this.#to(item, 'failed', known ? error.message : 'The connection was lost, or the file changed.')
          return
        }
        item.sent = 0
        this.#to(item, 'pausing', known ? `${error.message} It is tried again.` : 'Connection lost. It is tried again.')
        await pause(PAUSES[item.attempt], signal)
        if (signal.aborted) return
        this.#to(item, 'sending', '')
      }
    }
  }

  /** Each folder once, the outer ones first. */
  #makeFolder(names) {
    const key = names.join('/')
    const known = this.#folders.get(key)
    if (known) return known
    const made = (async () => {
      if (names.length > 1) await this.#makeFolder(names.slice(0, -1))
      try {
        await post(`${hrefIn(this.here, ...names.slice(0, -1))}${names.length > 1 ? '/' : ''}?do=create-folder`, {
          folder: names.at(-1),
        })
      } catch (error) {
        if (!taken(error)) throw error
      }
    })()
    this.#folders.set(key, made)
    made.catch(() => this.#folders.delete(key))
    return made
  }
}

function taken(error) {
  return error instanceof Refused && (error.status === 412 || error.code === 'ALREADY_EXISTS')
}

function messageOf(error) {
  if (taken(error)) return 'A file of this name is here already.'
  if (error.code === 'IS_COLLECTION' || error.code === 'IS_A_DIRECTORY') return 'A folder of this name is here already.'
  if (error.code === 'LOCKED') return 'The file is locked: somebody has it open.'
  return error.message
}

/** Ends early when the browser says that it is online again. */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    addEventListener('online', resolve, { once: true })
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
