import { randomBytes } from 'node:crypto'
import { parentOf } from '../storage/remote-path.js'
import type { HeldLock } from './file-lock.js'
import type { ProvisionerCall } from './provisioner.js'
import type { Tools } from './tools.js'

/** A file on a server that is only ever replaced whole: who reads it sees the old or the new one. */
export class RemoteFile {
  constructor(
    private readonly tools: Tools,
    readonly path: string,
  ) {}

  /** @param mode octal, or another file whose owner and mode are taken over */
  async replace(
    text: string,
    mode: string | { readonly like: string },
    call: ProvisionerCall,
    held?: HeldLock,
  ): Promise<void> {
    const { tools } = this
    await this.replaceBy(
      async (fresh) => {
        // Empty and closed to others first: at no time can somebody else read what is in it.
        await tools.must(['install', '-m', '0600', '-T', '--', '/dev/null', fresh], call)
        // Its input is text, not a name: /dev/stdin cannot be opened where sshd hands over a socket.
        await tools.must(['dd', `of=${fresh}`, 'conv=fsync', 'status=none'], { ...call, input: text })
        if (typeof mode === 'string') await tools.must(['chmod', mode, '--', fresh], call)
        else {
          await tools.must(['chown', `--reference=${mode.like}`, '--', fresh], call)
          await tools.must(['chmod', `--reference=${mode.like}`, '--', fresh], call)
        }
      },
      call,
      held,
    )
  }

  /** Takes for the new file what `make` leaves at the path that it is given. Under a lock, only as long as that is held. */
  async replaceBy(make: (fresh: string) => Promise<void>, call: ProvisionerCall, held?: HeldLock): Promise<void> {
    const name = randomBytes(6).toString('hex')
    const fresh = held === undefined ? `${this.path}.ftpcluster-${name}` : `${held.own}/${name}`
    const { tools } = this
    try {
      await make(fresh)
      const from = held === undefined ? fresh : `${held.link}/${name}`
      await tools.must(['mv', '-T', '--', from, this.path], call)
    } catch (error) {
      // The reason is what went wrong first; a connection that broke cannot tidy up.
      await tools.asRoot(['rm', '-f', '--', fresh]).catch(() => undefined)
      throw error
    }
    await tools.must(['sync', '--', parentOf(this.path)], call)
  }
}
