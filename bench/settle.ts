import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What was written before goes to the disk now, and not while the clock runs. */
export async function settle(): Promise<void> {
  await promisify(execFile)('sync')
}
