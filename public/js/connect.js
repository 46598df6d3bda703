// Tells whether this device has connected, while the page is looked at.

const check = document.querySelector('#connect-check')
const text = check.querySelector('.check-text')
check.hidden = false

async function look() {
  if (document.visibilityState !== 'visible') return
  try {
    const response = await fetch(check.dataset.check, { headers: { Accept: 'application/json' } })
    if (!response.ok) return
    const result = await response.json()
    check.dataset.kind = result.kind
    // Screen readers hear only what is new.
    if (text.textContent !== result.text) text.textContent = result.text
  } catch {
    // The gateway restarts, or the device changes its network: the next look tells.
  }
}

await look()
setInterval(look, 3000)
