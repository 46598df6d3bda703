// The panel of what is under way: uploads of this page, and the visitor's copies and moves.

import { readableSize, readableTime } from './format.js'
import { get, post } from './server.js'

const SHOWN = 40
const ORDER = { sending: 0, pausing: 0, taken: 1, failed: 1, waiting: 2, done: 3, cancelled: 3 }
const WORDS = { waiting: 'Waiting', done: 'Done', cancelled: 'Cancelled' }

export class Transfers {
  #drawing = false
  #rows = new Map()
  #jobs = []
  #begun = new Set()
  #rate = []
  #polling = false

  constructor(uploads, { onJobsDone }) {
    this.uploads = uploads
    this.onJobsDone = onJobsDone
    this.panel = document.getElementById('transfers')
    this.list = document.getElementById('transfers-list')
    this.title = document.getElementById('transfers-title')
    this.progress = document.getElementById('transfers-progress')
    this.closeButton = document.getElementById('transfers-close')
    this.cancelButton = document.getElementById('transfers-cancel')
    this.cancelButton.addEventListener('click', () => uploads.cancelAll())
    this.closeButton.addEventListener('click', () => {
      uploads.clear()
      this.#jobs = []
      this.#begun.clear()
      this.panel.hidden = true
    })
  }

  /** At most once a frame, however often something changes. */
  draw() {
    if (this.#drawing) return
    this.#drawing = true
    requestAnimationFrame(() => {
      this.#drawing = false
      this.#draw()
    })
  }

  /** Looks after the jobs until none is open. `begun`: the id of one that shows even if it is over by now. */
  async watchJobs(begun) {
    if (begun !== undefined) this.#begun.add(begun)
    if (this.#polling) return
    this.#polling = true
    let seen = false
    try {
      for (;;) {
        const { jobs } = await get('/jobs')
        const open = jobs.filter(({ state }) => state === 'running' || state === 'waiting')
        const known = new Set([...this.#begun, ...this.#jobs.map(({ id }) => id)])
        this.#jobs = jobs.filter(({ id }) => known.has(id) || open.some((job) => job.id === id))
        this.draw()
        if (open.length === 0) break
        seen = true
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
    } catch {
      // Asked again with the next copy, or the next page.
    } finally {
      this.#polling = false
    }
    if (seen) this.onJobsDone()
  }

  #draw() {
    const { items } = this.uploads
    if (items.length + this.#jobs.length === 0) {
      this.panel.hidden = true
      return
    }
    this.panel.hidden = false
    this.#summary(items)
    const shown = [...items].sort((a, b) => ORDER[a.state] - ORDER[b.state]).slice(0, SHOWN)
    const rows = [...this.#jobs.map((job) => this.#jobRow(job)), ...shown.map((item) => this.#uploadRow(item))]
    if (items.length > SHOWN) rows.push(this.#note(`and ${items.length - SHOWN} more`))
    if (rows.some((row, index) => this.list.children[index] !== row) || rows.length !== this.list.children.length) {
      this.list.replaceChildren(...rows)
    }
    const open = this.uploads.busy
    this.cancelButton.hidden = !open
    this.closeButton.hidden = open
  }

  #summary(items) {
    const counted = items.filter(({ state }) => state !== 'cancelled')
    const total = counted.reduce((sum, { file }) => sum + file.size, 0)
    const sent = counted.reduce((sum, item) => sum + (item.state === 'done' ? item.file.size : item.sent), 0)
    const done = counted.filter(({ state }) => state === 'done').length
    const stuck = counted.filter(({ state }) => state === 'failed' || state === 'taken').length
    this.progress.hidden = counted.length === 0
    this.progress.max = Math.max(1, total)
    this.progress.value = total === 0 ? (done === counted.length ? 1 : 0) : sent
    const parts = []
    if (counted.length > 0) {
      if (this.uploads.busy) parts.push(`Uploading ${done + 1} of ${counted.length}`, this.#left(sent, total))
      else parts.push(done === 1 ? '1 file uploaded' : `${done} files uploaded`)
      if (stuck > 0) parts.push(stuck === 1 ? '1 needs you' : `${stuck} need you`)
    } else if (items.length > 0) parts.push('Cancelled')
    else parts.push(this.#jobs.length === 1 ? '1 copy or move' : `${this.#jobs.length} copies and moves`)
    const text = parts.filter(Boolean).join(' · ')
    if (this.title.textContent !== text) this.title.textContent = text
  }

  /** By the rate of the last ten seconds. */
  #left(sent, total) {
    const now = performance.now()
    this.#rate.push({ now, sent })
    while (this.#rate[0].now < now - 10_000) this.#rate.shift()
    const first = this.#rate[0]
    const rate = (sent - first.sent) / ((now - first.now) / 1000)
    return now - first.now < 1500 || !(rate > 0) ? '' : readableTime((total - sent) / rate)
  }

  #uploadRow(item) {
    const row = this.#row(item, item.name)
    const { bar, note, buttons } = row.parts
    const active = item.state === 'sending' || item.state === 'pausing'
    bar.hidden = !active
    bar.max = Math.max(1, item.file.size)
    bar.value = item.sent
    const size = active ? `${readableSize(item.sent)} of ${readableSize(item.file.size)}` : readableSize(item.file.size)
    const whole = active && item.state === 'sending' && item.sent >= item.file.size
    note.textContent =
      item.message || (whole ? 'Storing on the server' : `${WORDS[item.state] ? `${WORDS[item.state]} · ` : ''}${size}`)
    row.element.dataset.state = item.state
    if (row.state === item.state) return row.element
    row.state = item.state
    const offered = []
    if (item.state === 'taken')
      offered.push(
        ['Replace', () => this.uploads.retry(item, { overwrite: true })],
        ['Skip', () => this.uploads.cancel(item)],
      )
    else if (item.state === 'failed' || item.state === 'cancelled')
      offered.push(['Retry', () => this.uploads.retry(item)])
    else if (item.state !== 'done') offered.push(['Cancel', () => this.uploads.cancel(item)])
    this.#offer(buttons, item.name, offered)
    return row.element
  }

  #jobRow(job) {
    const row = this.#row(job.id, job.title)
    const { bar, note, buttons } = row.parts
    const open = job.state === 'running' || job.state === 'waiting'
    bar.hidden = !open
    if (job.total === null) bar.removeAttribute('value')
    else {
      bar.max = Math.max(1, job.total)
      bar.value = job.bytes
    }
    const size = job.total === null ? '' : `${readableSize(job.bytes)} of ${readableSize(job.total)}`
    note.textContent = [job.state === 'waiting' ? 'Waiting' : job.message, open ? size : ''].filter(Boolean).join(' · ')
    row.element.dataset.state = job.state
    if (row.state === job.state) return row.element
    row.state = job.state
    const cancel = () => post(`/jobs/${job.id}/cancel`, {}).catch(() => undefined)
    this.#offer(buttons, job.title, open ? [['Cancel', cancel]] : [])
    return row.element
  }

  #row(key, name) {
    const known = this.#rows.get(key)
    if (known) return known
    const element = document.createElement('li')
    const text = document.createElement('span')
    text.className = 'transfer-name'
    text.textContent = name
    text.title = name
    const buttons = document.createElement('span')
    buttons.className = 'transfer-buttons'
    const bar = document.createElement('progress')
    bar.setAttribute('aria-label', name)
    const note = document.createElement('span')
    note.className = 'transfer-note'
    element.append(text, buttons, bar, note)
    const row = { element, parts: { bar, note, buttons }, state: undefined }
    this.#rows.set(key, row)
    return row
  }

  #offer(container, name, offered) {
    container.replaceChildren(
      ...offered.map(([text, act]) => {
        const button = document.createElement('button')
        button.type = 'button'
        button.className = 'btn btn-sm btn-link'
        button.textContent = text
        button.setAttribute('aria-label', `${text} ${name}`)
        button.addEventListener('click', act)
        return button
      }),
    )
  }

  #note(text) {
    const element = document.createElement('li')
    element.className = 'transfer-more'
    element.textContent = text
    return element
  }
}
