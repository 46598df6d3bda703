// An image that the browser cannot show says so instead of staying empty.

const preview = document.getElementById('preview')
for (const media of preview.querySelectorAll('img, video, audio')) {
  media.addEventListener('error', () => {
    const note = document.createElement('p')
    note.className = 'preview-note'
    note.textContent = 'This browser cannot show the file. Download it to open it.'
    media.replaceWith(note)
  })
}
