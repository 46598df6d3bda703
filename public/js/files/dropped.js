// Files and whole folders, from a drop or from an input, as `{ file, folders }`: the names of the folders it lies in, from
// the folder that shows.

/** To be called in the event itself: what was dropped is gone after it. */
export async function dropped(transfer, onFolder) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
  if (entries.length === 0) return [...transfer.files].map((file) => ({ file, folders: [] }))
  const found = []
  for (const entry of entries) await walk(entry, [], found, onFolder)
  return found
}

export function chosen(input) {
  return [...input.files].map((file) => ({ file, folders: file.webkitRelativePath.split('/').slice(0, -1) }))
}

async function walk(entry, folders, found, onFolder) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject))
    found.push({ file, folders })
    return
  }
  const inside = [...folders, entry.name]
  onFolder(inside)
  const reader = entry.createReader()
  for (;;) {
    // Browsers give a folder in parts of a hundred.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    if (part.length === 0) return
    for (const member of part) await walk(member, inside, found, onFolder)
  }
}
