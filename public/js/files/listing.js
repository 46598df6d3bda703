// The rows of a folder: all of them, sorted and filtered here. The browser lays out only those that show
// (content-visibility), and rows beyond the first screens are made while it is idle.

import { readableDate, readableSize } from './format.js'

const FIRST = 200
const STEP = 500
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
const NAME = 0
const KIND = 1
const COLUMN = { size: 2, modified: 3 }

export class Listing {
  #rows = []
  #elements = new Map()
  #building = 0
  ticked = new Set()
  sort = 'name'
  descending = false
  filter = ''

  constructor({ container, here, icons, ticks, onChange }) {
    this.container = container
    this.here = here
    this.icons = icons
    this.ticks = ticks
    this.onChange = onChange
    this.template = document.getElementById('row-template').content.firstElementChild
    container.addEventListener('change', ({ target }) => {
      if (target.name === 'name') this.tick([target.value], target.checked)
    })
  }

  get rows() {
    return this.#rows
  }

  /** What the filter leaves, in order. */
  shown = []

  set(rows) {
    this.#rows = rows
    this.#elements = new Map()
    const names = new Set(rows.map((row) => row[NAME]))
    for (const name of this.ticked) if (!names.has(name)) this.ticked.delete(name)
    this.draw()
  }

  tick(names, on) {
    for (const name of names) {
      if (on) this.ticked.add(name)
      else this.ticked.delete(name)
      const element = this.#elements.get(name)
      if (element) this.#mark(element, on)
    }
    this.onChange()
  }

  draw() {
    const wanted = this.filter.trim().toLowerCase()
    const rows = wanted === '' ? [...this.#rows] : this.#rows.filter((row) => row[NAME].toLowerCase().includes(wanted))
    this.shown = rows.sort((a, b) => this.#compare(a, b))
    const building = ++this.#building
    this.container.replaceChildren(this.#fragment(0, FIRST))
    this.container.parentElement.setAttribute('aria-rowcount', String(this.shown.length + 1))
    const more = (from) => {
      if (building !== this.#building || from >= this.shown.length) return
      this.container.append(this.#fragment(from, from + STEP))
      later(() => more(from + STEP))
    }
    later(() => more(FIRST))
    this.onChange()
  }

  #compare(a, b) {
    const folders = Number(a[COLUMN.size] !== null) - Number(b[COLUMN.size] !== null)
    if (folders !== 0) return folders
    const column = COLUMN[this.sort]
    const difference = column === undefined ? 0 : (a[column] ?? -1) - (b[column] ?? -1)
    return (this.descending ? -1 : 1) * (difference === 0 ? byName.compare(a[NAME], b[NAME]) : difference)
  }

  #fragment(from, to) {
    const fragment = document.createDocumentFragment()
    for (const row of this.shown.slice(from, to)) fragment.append(this.#element(row))
    return fragment
  }

  #element(row) {
    const known = this.#elements.get(row[NAME])
    if (known) return known
    const [name, kind, size, modified, symlink] = row
    const element = this.template.cloneNode(true)
    const [tick, nameCell, sizeCell, modifiedCell] = element.children
    if (this.ticks) {
      const box = tick.firstElementChild
      box.value = name
      box.setAttribute('aria-label', `Tick ${name}`)
    } else tick.replaceChildren()
    const link = nameCell.firstElementChild
    link.href = this.here + encodeURIComponent(name) + (size === null ? '/' : '')
    link.firstElementChild.classList.add(`kind-${kind}`)
    link.firstElementChild.firstElementChild.setAttribute('href', `#icon-${this.icons[row[KIND]]}`)
    link.lastElementChild.textContent = name
    if (symlink) {
      const badge = document.createElement('span')
      badge.className = 'badge text-bg-secondary'
      badge.textContent = 'link'
      link.append(' ', badge)
    }
    if (size !== null) sizeCell.textContent = readableSize(size)
    if (modified !== null) {
      const time = document.createElement('time')
      time.dateTime = new Date(modified).toISOString()
      time.textContent = readableDate(modified)
      modifiedCell.append(time)
    }
    this.#mark(element, this.ticked.has(name))
    this.#elements.set(name, element)
    return element
  }

  #mark(element, on) {
    element.classList.toggle('ticked', on)
    const box = element.querySelector('input')
    if (box) box.checked = on
  }
}

function later(work) {
  if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: 200 })
  else setTimeout(work, 16)
}
