// The pages of a PDF as pictures: drawn here by pdf.js, since the file itself may run nothing and open no viewer in this
// origin. A page is drawn when it comes near, and let go when it is far again.

import { getDocument, GlobalWorkerOptions } from '/assets/pdfjs/build/pdf.min.mjs'

const MOST_PAGES = 300
/** Of one picture: browsers refuse much more, and a page may claim any size. */
const MOST_PIXELS = 8_000_000
const MOST_IMAGE_PIXELS = 50_000_000

GlobalWorkerOptions.workerSrc = '/assets/pdfjs/build/pdf.worker.min.mjs'

const container = document.getElementById('pdf')
const note = document.getElementById('pdf-note')

const loading = getDocument({
  url: container.dataset.url,
  // One request for the whole file: each part would be a transfer of its own on the server.
  disableRange: true,
  // No code out of a file: neither compiled nor as WebAssembly, which the policy of the page refuses anyway.
  isEvalSupported: false,
  useWasm: false,
  enableXfa: false,
  maxImageSize: MOST_IMAGE_PIXELS,
  cMapUrl: '/assets/pdfjs/cmaps/',
  standardFontDataUrl: '/assets/pdfjs/standard_fonts/',
  wasmUrl: '/assets/pdfjs/wasm/',
  useWorkerFetch: true,
  verbosity: 0,
})
loading.onProgress = ({ loaded, total }) => {
  if (total > 0) note.textContent = `Loading: ${Math.min(100, Math.round((loaded / total) * 100))} %`
}
loading.onPassword = () => {
  say('This file is protected by a password. Download it to open it.')
  void loading.destroy()
}

function say(text) {
  note.dataset.said = ''
  note.textContent = text
}

async function show(pdf) {
  const count = Math.min(pdf.numPages, MOST_PAGES)
  const { width, height } = (await pdf.getPage(1)).getViewport({ scale: 1 })
  const sheets = Array.from({ length: count }, (_, index) => new Sheet(pdf, index + 1, width / height))
  const byElement = new Map(sheets.map((sheet) => [sheet.element, sheet]))
  container.append(...byElement.keys())
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const sheet = byElement.get(target)
        if (isIntersecting) void sheet.draw()
        else sheet.clear()
      }
    },
    { root: container, rootMargin: '75% 0px' },
  )
  for (const element of byElement.keys()) near.observe(element)
  note.textContent = pdf.numPages === 1 ? '1 page' : `${pdf.numPages} pages`
  if (count < pdf.numPages)
    note.textContent += `, of which the first ${count} are shown. Download the file for the rest.`
}

class Sheet {
  #task
  #drawing = false
  #wanted = false

  constructor(pdf, number, ratio) {
    this.pdf = pdf
    this.number = number
    this.element = document.createElement('div')
    this.element.className = 'pdf-page'
    this.element.style.aspectRatio = String(ratio)
  }

  async draw() {
    this.#wanted = true
    if (this.#drawing || this.element.firstChild) return
    this.#drawing = true
    try {
      await this.#render()
    } catch (error) {
      if (error.name !== 'RenderingCancelledException') this.element.textContent = 'This page cannot be shown.'
    } finally {
      this.#drawing = false
      this.#task = undefined
    }
    // It went away and came back meanwhile.
    if (this.#wanted && !this.element.firstChild) void this.draw()
  }

  async #render() {
    const page = await this.pdf.getPage(this.number)
    if (!this.#wanted) return
    const natural = page.getViewport({ scale: 1 })
    this.element.style.aspectRatio = String(natural.width / natural.height)
    const sharp = (this.element.clientWidth / natural.width) * Math.min(2, devicePixelRatio)
    const scale = Math.min(sharp, Math.sqrt(MOST_PIXELS / (natural.width * natural.height)))
    const viewport = page.getViewport({ scale })
    const canvas = document.createElement('canvas')
    canvas.width = Math.floor(viewport.width)
    canvas.height = Math.floor(viewport.height)
    canvas.setAttribute('role', 'img')
    canvas.setAttribute('aria-label', `Page ${this.number} of ${this.pdf.numPages}`)
    this.#task = page.render({ canvas, viewport })
    await this.#task.promise
    const { items } = await page.getTextContent()
    if (!this.#wanted) return
    const text = document.createElement('p')
    text.className = 'visually-hidden'
    text.textContent = items.map(({ str = '', hasEOL }) => str + (hasEOL ? '\n' : '')).join('')
    this.element.replaceChildren(canvas, text)
  }

  clear() {
    this.#wanted = false
    this.#task?.cancel()
    const canvas = this.element.querySelector('canvas')
    // Memory of a canvas comes free at once only so.
    if (canvas) canvas.width = canvas.height = 0
    this.element.replaceChildren()
  }
}

try {
  await show(await loading.promise)
} catch (error) {
  if (note.dataset.said === undefined) {
    say(
      error.name === 'ResponseException'
        ? 'The file could not be read. Load the page again, or download it.'
        : 'This file cannot be shown. Download it to open it.',
    )
  }
}
