// Filters the operations while somebody types; without scripts the form does it.

const field = document.querySelector('#api-search')
const count = document.querySelector('#api-count')
const operations = [...document.querySelectorAll('.api-operation')]

// A search by the form shows only what fits already: the rest is not there to be found.
if (field.value === '') {
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
    let shown = 0
    for (const operation of operations) {
      operation.hidden = !words.every((word) => operation.dataset.searched.includes(word))
      if (!operation.hidden) shown++
    }
    for (const group of document.querySelectorAll('.api-group')) {
      group.hidden = !group.querySelector('.api-operation:not([hidden])')
    }
    count.textContent = shown === 0 ? 'No operation fits.' : shown === 1 ? '1 operation' : `${shown} operations`
  })
}

// A link to an operation or an object opens it.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (target instanceof HTMLDetailsElement) target.open = true
}
openTarget()
addEventListener('hashchange', openTarget)
