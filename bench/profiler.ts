import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** CPU profiles of a Node process while something is measured, and not of how it started. */
export class Profiler {
  readonly #socket = path.join(tmpdir(), `ftpcluster-profiler-${process.pid}.sock`)

  /** @param folder for the profiles; it is made */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true })
  }

  /** Of the process that is to be profiled. */
  get nodeOptions(): string[] {
    const program = pathToFileURL(path.join(import.meta.dirname, 'profiler-preload.mjs'))
    program.search = encodeURIComponent(this.#socket)
    return ['--import', program.href]
  }

  /** Writes what the process did during `work` to `<name>.cpuprofile`. */
  async during<T>(name: string, work: () => Promise<T>): Promise<T> {
    const client = connect(this.#socket)
    const closed = new Promise((resolve) => client.once('close', resolve))
    // The end of the process is told by the work that it did.
    client.on('error', () => undefined)
    client.write(path.resolve(this.folder, `${name}.cpuprofile`))
    await Promise.race([once(client, 'data'), closed])
    try {
      return await work()
    } finally {
      client.end()
      await closed
    }
  }
}
