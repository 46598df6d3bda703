import { chmod, copyFile } from 'node:fs/promises'
import path from 'node:path'

/** Puts the accounts commands of the tests into a folder of the lab's machine. @returns settings that run them */
export async function plantCommands(folder: string) {
  const script = path.join(folder, 'accounts')
  await copyFile(path.join(import.meta.dirname, 'accounts-command.sh'), script)
  await chmod(script, 0o755)
  return {
    read: [script, 'read'],
    makeHome: [script, 'home', '{name}', '{home}'],
    create: [script, 'create', '{name}', '{home}', '{mark}'],
    setSecret: [script, 'secret', '{name}'],
    enable: [script, 'enable', '{name}'],
    disable: [script, 'disable', '{name}'],
    remove: [script, 'remove', '{name}'],
  }
}
