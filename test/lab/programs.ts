import { environmentOf, unpackedRoot } from './packages.js'

export interface LabPrograms {
  /** The unpacked packages. */
  readonly root: string
  /** Finds litmus, cadaver, rclone, fusermount3 and their libraries; nothing of the user's own settings. */
  readonly env: NodeJS.ProcessEnv
}

/** The client programs of the lab. Call after `labFor`, which knows whether this machine can have them. */
export async function labPrograms(): Promise<LabPrograms> {
  const root = await unpackedRoot()
  return { root, env: await environmentOf(root) }
}
