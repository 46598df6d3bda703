/** Renames files of a drive by MOVE, `atOnce` at a time. Paths are relative to `url`, which ends with a slash. */
export async function moveAll(
  { url, username, password }: { readonly url: string; readonly username: string; readonly password: string },
  renames: readonly { readonly from: string; readonly to: string }[],
  atOnce = 8,
): Promise<void> {
  const encode = (name: string) => url + name.split('/').map(encodeURIComponent).join('/')
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const queue = [...renames]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const response = await fetch(encode(next.from), {
        method: 'MOVE',
        headers: { authorization, destination: encode(next.to), overwrite: 'F' },
      })
      const answer = await response.text()
      if (response.status !== 201) throw new Error(`MOVE ${next.from} to ${next.to}: ${response.status} ${answer}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
