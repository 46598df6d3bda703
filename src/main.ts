import { createContext, type Context } from './context.js'
import type { Config } from './config/config.js'
import { createLogger, type Logger } from './logger.js'

/** Runs the gateway until SIGINT or SIGTERM; the second one ends it at once. */
export async function serve(config: Config): Promise<void> {
  const log = createLogger({ level: config.logLevel })
  survive(log)
  const context = await createContext(config, log)
  const { url, fingerprint } = await context.gateway.start().catch(async (error: unknown) => {
    await context.stop()
    throw error
  })
  // Before anybody hears that it is ready, and may tell it to stop.
  const stopped = runUntilStopped(context, log)
  log.info({ url, certificate: fingerprint }, `FTPCluster is ready: open ${url}, or mount ${url}/dav/ as a drive`)
  if (await context.auth.setup.needed()) {
    const link = context.auth.setup.link(config.publicUrl ?? url)
    log.warn(`There is no admin yet. Make the first admin within an hour at ${link}`)
  }
  await stopped
}

/**
 * A promise that failed with nobody waiting for it has changed nothing that others rely on: it costs a line in the log. After
 * an exception that nobody caught the state is not known: the process ends, and the next one heals what is left.
 */
function survive(log: Logger): void {
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'a failure that nobody handled'))
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'stopped at once: a mistake in the gateway')
    process.exit(1)
  })
}

/** Resolves when the gateway was told to stop and has stopped. */
export function runUntilStopped(context: Context, log: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) {
        log.warn('stopped at once: transfers under way were cut')
        process.exit(1)
      }
      stopping = true
      log.info({ signal }, 'stopping: transfers under way may finish; a second signal ends them')
      context.stop().then(resolve, reject)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}
