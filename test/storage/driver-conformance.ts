import { describeFolders } from './conformance/folders.js'
import { describeNames } from './conformance/names.js'
import { describeTransfers } from './conformance/transfers.js'
import { World, type ConformanceSetup } from './conformance/world.js'

export type { ConformanceSetup } from './conformance/world.js'

/**
 * What every driver keeps on every server, unchanged. `start` runs in a before hook and may skip (`this.skip()`); tests skip
 * by what the connection has no method for and by what the setup leaves out, never by the driver's name.
 */
export function describeDriverConformance(
  title: string,
  start: (this: Mocha.Context) => Promise<ConformanceSetup>,
): void {
  describe(`${title}: driver conformance`, () => {
    let world: World | undefined

    before(async function () {
      world = await World.start(await start.call(this))
    })

    after(async () => {
      await world?.stop()
    })

    const get = (): World => {
      if (!world) throw new Error('The setup did not run.')
      return world
    }
    describeFolders(get)
    describeNames(get)
    describeTransfers(get)
  })
}
