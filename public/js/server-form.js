// The form of a server shows what belongs to the chosen protocol; without this it shows everything.
const form = document.getElementById('server-form')
const protocol = form.elements.protocol
const trust = form.elements.trust

function show() {
  for (const part of form.querySelectorAll('[data-only]')) part.hidden = part.dataset.only !== protocol.value
  for (const part of form.querySelectorAll('[data-except]')) part.hidden = part.dataset.except === protocol.value
  for (const part of form.querySelectorAll('[data-trust]')) part.hidden = part.dataset.trust !== trust?.value
}

protocol.addEventListener('change', show)
trust?.addEventListener('change', show)
show()
