// Renews what runs every few seconds, while the page is looked at and no button in it has the focus.
const EVERY = 3000
const part = document.getElementById('activity')

async function refresh() {
  if (document.hidden || part.contains(document.activeElement)) return
  const response = await fetch(part.dataset.refresh, { headers: { Accept: 'text/html' }, redirect: 'manual' })
  if (!response.ok) return
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('activity')
  if (fresh) part.replaceChildren(...fresh.childNodes)
}

function again() {
  refresh()
    .catch(() => undefined)
    .finally(() => setTimeout(again, EVERY))
}

setTimeout(again, EVERY)
