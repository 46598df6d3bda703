// <div data-csv-file="id of a textarea" hidden> with a file field: the chosen file is put into the textarea.
for (const part of document.querySelectorAll('[data-csv-file]')) {
  part.hidden = false
  const file = part.querySelector('input[type=file]')
  file.addEventListener('change', async () => {
    const [chosen] = file.files
    if (chosen) document.getElementById(part.dataset.csvFile).value = await chosen.text()
  })
}
