// A folder's page: sorting and filtering at once, uploads, and questions in a dialog instead of on a page of their own.

import { ask } from './ask.js'
import { chosen, dropped } from './dropped.js'
import { Listing } from './listing.js'
import { get, post } from './server.js'
import { Transfers } from './transfers.js'
import { Uploads } from './uploads.js'

const page = document.getElementById('files')
const { here, path } = page.dataset
const { access, entries } = JSON.parse(document.getElementById('folder-data').textContent)
const icons = JSON.parse(document.getElementById('folder-icons').textContent)
const mayWrite = access === 'read-write'
const byId = (id) => document.getElementById(id)
const form = byId('entries-form')
const selection = byId('selection')
const tickAll = byId('tick-all')
/** Names in one request: longer lists go in parts. */
const PART = 200

for (const element of document.querySelectorAll('.needs-script')) element.hidden = false
document.documentElement.classList.add('has-script')

const listing = new Listing({ container: byId('rows'), here, icons, ticks: path !== '/', onChange: showState })
const query = new URLSearchParams(location.search)
listing.sort = query.get('sort') ?? 'name'
listing.descending = query.get('order') === 'desc'
listing.filter = byId('filter').value
listing.set(entries)

function showState() {
  const all = listing.rows.length
  const found = listing.shown.length
  const items = all === 1 ? '1 item' : `${all} items`
  byId('entries-total').textContent = found === all ? items : `${found} of ${items}`
  const empty = byId('empty')
  empty.classList.toggle('d-none', found > 0)
  if (found === 0) empty.textContent = all > 0 ? `No name here holds “${listing.filter}”.` : 'This folder is empty.'
  if (!selection) return
  const { size } = listing.ticked
  selection.classList.toggle('active', size > 0)
  byId('selection-count').textContent = size === 0 ? '' : `${size} ticked`
  for (const one of ['rename', 'share']) {
    selection.querySelector(`[data-do="${one}"]`)?.toggleAttribute('disabled', size !== 1)
  }
  tickAll.checked = size > 0 && listing.shown.every(([name]) => listing.ticked.has(name))
  tickAll.indeterminate = size > 0 && !tickAll.checked
}

async function refresh() {
  listing.set((await get(here, { fresh: true })).entries)
}

// Sorting and filtering.
byId('filter').addEventListener('input', ({ target }) => {
  listing.filter = target.value
  listing.draw()
})
byId('filter').form.addEventListener('submit', (event) => event.preventDefault())
for (const link of document.querySelectorAll('.sort')) {
  link.addEventListener('click', (event) => {
    event.preventDefault()
    const { sort } = link.dataset
    listing.descending = listing.sort === sort && !listing.descending
    listing.sort = sort
    for (const other of document.querySelectorAll('.sort')) other.parentElement.removeAttribute('aria-sort')
    link.parentElement.setAttribute('aria-sort', listing.descending ? 'descending' : 'ascending')
    listing.draw()
  })
}
tickAll?.addEventListener('change', () => {
  const names = listing.shown.map(([name]) => name)
  listing.tick(names, tickAll.checked)
})
document.addEventListener('keydown', (event) => {
  const writing = event.target.closest('input:not([type="checkbox"]), dialog')
  if (event.key === '/' && !writing) {
    event.preventDefault()
    byId('filter').focus()
  }
  if (event.key === 'Delete' && !writing && mayWrite && listing.ticked.size > 0) actions.delete()
})

// Uploads.
const uploads = new Uploads({ here, onChange: () => transfers.draw(), onDone: () => refresh().catch(() => undefined) })
const transfers = new Transfers(uploads, { onJobsDone: () => refresh().catch(() => undefined) })
void transfers.watchJobs()
for (const id of ['upload-files', 'upload-folder']) {
  byId(id)?.addEventListener('change', ({ target }) => {
    uploads.add(chosen(target))
    target.value = ''
  })
}
if (mayWrite) {
  const hint = byId('drop-hint')
  let depth = 0
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files')
  const show = (change) => {
    depth = Math.max(0, depth + change)
    hint.classList.toggle('active', depth > 0)
  }
  addEventListener('dragenter', (event) => hasFiles(event) && show(1))
  addEventListener('dragleave', (event) => hasFiles(event) && show(-1))
  addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault())
  addEventListener('drop', async (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    show(-Infinity)
    uploads.add(await dropped(event.dataTransfer, (names) => uploads.folder(names)))
  })
}

// New folder.
byId('new-folder')?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const field = byId('new-folder-name')
  field.setCustomValidity('')
  try {
    await post(`${here}?do=create-folder`, { folder: field.value })
    field.value = ''
    await refresh()
  } catch (error) {
    field.setCustomValidity(error.message)
    field.reportValidity()
    field.addEventListener('input', () => field.setCustomValidity(''), { once: true })
  }
})

// What is done with the ticked ones.
const ticked = () => [...listing.ticked]
const pairs = (names) => names.map((name) => ['name', name])
const described = (names) => (names.length === 1 ? names[0] : `${names.length} items`)

/** In parts, so that any number of names can be sent. */
async function inParts(names, send) {
  for (let from = 0; from < names.length; from += PART) await send(names.slice(from, from + PART))
}

function chooseTarget(kind, title, ok) {
  const names = ticked()
  ask({
    title: `${title} ${described(names)}`,
    ok,
    folder: path,
    work: async (to) => {
      await inParts(names, async (part) => {
        const answer = await post(`${here}?do=${kind}`, [...pairs(part), ['to', to]])
        if (answer.job !== undefined) void transfers.watchJobs(answer.job)
      })
      listing.tick(names, false)
      await refresh()
    },
  })
}

const actions = {
  delete: () => {
    const names = ticked()
    ask({
      title: `Delete ${described(names)}?`,
      text: 'Folders go with everything in them. This cannot be undone.',
      ok: 'Delete',
      danger: true,
      work: async () => {
        const problems = []
        await inParts(names, async (part) => {
          const answer = await post(`${here}?do=delete`, [...pairs(part), ['confirmed', 'yes']])
          problems.push(...answer.problems)
        })
        await refresh()
        if (problems.length > 0)
          throw new Error(
            problems
              .slice(0, 3)
              .map(({ name, message }) => `${name}: ${message}`)
              .join(' '),
          )
      },
    })
  },
  rename: () => {
    const [name] = ticked()
    ask({
      title: 'Rename',
      ok: 'Rename',
      input: { label: 'New name', value: name },
      work: async (to) => {
        await post(`${here}?do=rename`, { name, to })
        listing.tick([name], false)
        await refresh()
      },
    })
  },
  share: () => {
    const [name] = ticked()
    location.assign(`/shared/new?path=${encodeURIComponent(`${path}/${name}`)}`)
  },
  copy: () => chooseTarget('copy', 'Copy', 'Copy here'),
  move: () => chooseTarget('move', 'Move', 'Move here'),
}

form.addEventListener('submit', (event) => {
  const action = actions[event.submitter?.dataset.do]
  if (!action) return
  event.preventDefault()
  if (listing.ticked.size > 0) action()
})
