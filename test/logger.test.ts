import { expect } from 'chai'
import { createLogger, newRequestId, scrub } from '../src/logger.js'

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = []
  write(createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }))
  return lines.join('')
}

describe('logger', () => {
  it('never writes a secret, at three depths', () => {
    const text = logged((log) => {
      log.info({ password: 'hunter2' }, 'one')
      log.info({ user: { passphrase: 'hunter2' } }, 'two')
      log.info({ req: { headers: { authorization: 'Basic hunter2', 'set-cookie': 'hunter2' } } }, 'three')
    })
    expect(text).to.contain('three')
    expect(text).not.to.contain('hunter2')
  })

  it('takes credentials out of URLs in messages, fields and stacks', () => {
    const text = logged((log) => {
      log.info({ url: 'ftp://anna:hunter2@host/x' }, 'sftp://bert:hunter2@host')
      log.error(new Error('cannot open postgres://carl:hunter2@host/db'))
    })
    expect(text).not.to.contain('hunter2')
    expect(text).to.contain('ftp://[redacted]@host/x')
  })

  it('leaves addresses without credentials alone', () => {
    expect(scrub('see http://localhost:8080/a@b')).to.equal('see http://localhost:8080/a@b')
  })

  it('leaves out the values of a failed statement', () => {
    const error = Object.assign(new Error('constraint'), { parameters: ['hunter2'], parent: { sql: "'hunter2'" } })
    expect(logged((log) => log.error({ err: error }, 'x'))).not.to.contain('hunter2')
  })

  it('gives every request another id', () => {
    expect(newRequestId()).to.match(/^[0-9a-f]{16}$/)
    expect(new Set(Array.from({ length: 1000 }, newRequestId))).to.have.property('size', 1000)
  })
})
