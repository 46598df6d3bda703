import { appendFile } from 'node:fs/promises'
import path from 'node:path'
import { encrypt } from 'unixcrypt'
import type { LabMachine } from '../lab/lab.js'

/** A Unix account that somebody made by hand, with a home that is there for everybody. */
export async function accountOnMachine(
  machine: LabMachine,
  account: { name: string; password: string },
): Promise<void> {
  const { name, password } = account
  const add = (file: string, line: string) => appendFile(path.join(machine.etc, file), `${line}\n`)
  await add('passwd', `${name}:x:1500:1500:A Person,,,:/:/bin/sh`)
  await add('group', `${name}:x:1500:`)
  await add('shadow', `${name}:${encrypt(password)}:20000:0:99999:7:::`)
}
