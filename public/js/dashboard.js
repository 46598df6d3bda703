// Asks every server for its free space, each on its own, so that one that does not answer holds up nothing.

for (const card of document.querySelectorAll('[data-free-space]')) {
  const space = card.querySelector('.free-space')
  const state = card.querySelector('.server-state')
  const note = card.querySelector('.server-problem')
  void load(card.dataset.freeSpace, space, state, note)
}

async function load(url, space, state, note) {
  space.textContent = 'asking …'
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' } })
    if (!response.ok) throw new Error(String(response.status))
    const { free, problem } = await response.json()
    space.textContent = free ?? (problem ? '–' : 'not told')
    if (problem === undefined) {
      if (state.dataset.state === 'unknown') show(state, 'up', 'Up')
      return
    }
    const rejected = problem.code === 'REMOTE_CREDENTIALS'
    if (rejected) show(state, 'login-rejected', 'Login rejected')
    else if (state.dataset.state !== 'down') show(state, 'down', 'No answer')
    note.textContent = rejected
      ? 'The server refuses the login that is stored for you. '
      : `${problem.message} Your other servers are not affected.`
    if (rejected) note.append(note.dataset.help)
    note.hidden = false
  } catch {
    space.textContent = '–'
  }
}

function show(state, name, text) {
  state.dataset.state = name
  state.className = `server-state state-${name}`
  state.textContent = text
}
