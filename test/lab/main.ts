import { ALL_DAEMONS, startLab, type DaemonKind } from './lab.js'

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !ALL_DAEMONS.some((kind) => kind === name))
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(' ')}. There are: ${ALL_DAEMONS.join(' ')}`)
  process.exit(2)
}
const started = Date.now()
const lab = await startLab({ daemons: asked.length > 0 ? (asked as DaemonKind[]) : ALL_DAEMONS, smallDisk: 8 << 20 })
for (const daemon of lab.daemons) {
  const { protocol, host, port, trust } = daemon.endpoint
  console.log(`\n${daemon.kind}  ${protocol}  ${host}:${port}  pid ${daemon.pid}`)
  if (trust.kind === 'pinned') console.log(`  fingerprint ${trust.fingerprints.join(' ')}`)
  for (const account of daemon.accounts) {
    const secret =
      account.password ?? (account.passphrase === undefined ? 'key' : `key, passphrase ${account.passphrase}`)
    console.log(`  ${account.username.padEnd(8)} ${secret.padEnd(34)} ${account.home}`)
  }
}
console.log(`\nReady after ${Date.now() - started} ms. Ctrl-C ends the lab and removes its files.`)
const hold = setInterval(() => undefined, 1 << 30)
const end = () => {
  clearInterval(hold)
  void lab.stop()
}
process.once('SIGINT', end)
process.once('SIGTERM', end)
