// One dialog for every question of the files pages.

import { get, hrefIn } from './server.js'

const dialog = document.getElementById('ask')
const part = (name) => document.getElementById(`ask-${name}`)

part('cancel').addEventListener('click', () => dialog.close())

/**
 * Asks, and does `work` with the answer; what goes wrong shows in the dialog, which stays open.
 * `input`: `{ label, value }` for a text, whose name before the ending is selected. `folder`: path to begin choosing from.
 */
export function ask({ title, text = '', ok, danger = false, input, folder, work }) {
  part('title').textContent = title
  part('text').textContent = text
  part('ok').textContent = ok
  part('ok').className = `btn ${danger ? 'btn-danger' : 'btn-primary'}`
  part('problem').textContent = ''
  part('field').hidden = input === undefined
  part('folders').hidden = folder === undefined
  const field = part('input')
  field.required = input !== undefined
  if (input) {
    part('label').textContent = input.label
    field.value = input.value
  }
  let chosen = folder
  if (folder !== undefined) {
    const open = (path) => {
      chosen = path
      void showFolders(path, open)
    }
    open(folder)
  }
  dialog.showModal()
  if (input) {
    field.focus()
    const dot = input.value.lastIndexOf('.')
    field.setSelectionRange(0, dot > 0 ? dot : input.value.length)
  } else if (danger) part('ok').focus()

  dialog.querySelector('form').onsubmit = async (event) => {
    event.preventDefault()
    part('ok').disabled = true
    part('problem').textContent = ''
    try {
      await work(folder === undefined ? field.value : chosen)
      dialog.close()
    } catch (error) {
      part('problem').textContent = error.message
    } finally {
      part('ok').disabled = false
    }
  }
}

async function showFolders(path, open) {
  const list = part('list')
  part('at').textContent = path === '/' ? 'Choose a server' : path
  part('ok').disabled = path === '/'
  list.setAttribute('aria-busy', 'true')
  const items = []
  const add = (text, target, className) => {
    const item = document.createElement('li')
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = text
    button.className = className
    button.addEventListener('click', () => open(target))
    item.append(button)
    items.push(item)
  }
  if (path !== '/') add('One folder up', path.slice(0, path.lastIndexOf('/')) || '/', 'ask-up')
  try {
    const segments = path.split('/').filter(Boolean)
    const { access, entries } = await get(hrefIn('/files/', ...segments) + (segments.length > 0 ? '/' : ''))
    if (part('at').textContent !== (path === '/' ? 'Choose a server' : path)) return
    for (const [name, , size] of entries) {
      if (size === null) add(name, path === '/' ? `/${name}` : `${path}/${name}`, 'ask-folder')
    }
    if (path !== '/' && access !== 'read-write') {
      part('ok').disabled = true
      part('problem').textContent = 'You may read here, but not change anything.'
    } else part('problem').textContent = ''
  } catch (error) {
    part('ok').disabled = true
    part('problem').textContent = error.message
  }
  list.replaceChildren(...items)
  list.removeAttribute('aria-busy')
}
