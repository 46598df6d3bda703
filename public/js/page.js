// What every page does better with JavaScript; each works without.

const root = document.documentElement

for (const button of document.querySelectorAll('.theme-toggle')) {
  button.hidden = false
  button.addEventListener('click', () => {
    const next = root.dataset.bsTheme === 'dark' ? 'light' : 'dark'
    root.dataset.bsTheme = next
    localStorage.setItem('theme', next)
  })
}

// <form data-confirm="Delete this?"> asks first.
document.addEventListener('submit', (event) => {
  const question = event.target.dataset.confirm
  if (question !== undefined && !confirm(question)) event.preventDefault()
})

// <button data-copy="#id"> copies the text of another element. Browsers allow that over https and on localhost only.
for (const button of navigator.clipboard ? document.querySelectorAll('[data-copy]') : []) {
  button.hidden = false
  button.addEventListener('click', async () => {
    const source = document.querySelector(button.dataset.copy)
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim())
    const before = button.textContent
    button.textContent = 'Copied'
    setTimeout(() => (button.textContent = before), 2000)
  })
}

// What is to be copied shows whole, also where `field-sizing` is not known.
for (const text of CSS.supports('field-sizing', 'content') ? [] : document.querySelectorAll('.copy-text')) {
  text.style.height = `${text.scrollHeight + 2}px`
}

// <time datetime="…"> is shown in the time zone of who looks.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
for (const element of document.querySelectorAll('time[datetime]')) {
  const at = new Date(element.dateTime)
  if (Number.isNaN(at.getTime())) continue
  element.title ||= at.toISOString()
  element.textContent = format.format(at)
}
