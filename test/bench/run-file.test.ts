import { expect } from 'chai'
import type { Measurement } from '../../bench/report.js'
import { mergedText, type Run } from '../../bench/run-file.js'
import { WHOLE } from '../../bench/scale.js'

const measured = (value: number) => ({ value, cpu: 1, requests: 1000 })

function run(ours: number, theirs: number, peak: number): Run {
  const measurement: Measurement = {
    server: { name: 'sshd', kind: 'sshd' },
    workload: { name: 'move', title: 'MOVE', unit: 'per s' },
    rounds: [{ ftpcluster: measured(ours), rclone: measured(theirs), direct: undefined }],
  }
  const peaks = { ftpcluster: peak, rclone: 100 }
  return {
    machine: 'a machine',
    command: 'npm run bench',
    seconds: 60,
    scale: WHOLE,
    measurements: [measurement],
    peaks,
  }
}

describe('bench: several runs', () => {
  it('make one table of the medians over all their rounds, with the spread of the ratios', () => {
    const text = mergedText([run(100, 100, 50), run(300, 100, 80), run(200, 100, 200)])
    const cells = /^\| MOVE.*$/m
      .exec(text)?.[0]
      .split('|')
      .map((cell) => cell.trim())
    expect(cells?.slice(1, 8)).to.deep.equal(['MOVE', 'per s', '200', '100', '2.00', '1.00-3.00', '>= 1.5 met'])
    expect(text).to.contain('Medians of 3 runs of `npm run bench`')
  })

  it('say below the table in which rows rclone broke off answers', () => {
    const [first, second] = [run(100, 100, 50), run(100, 100, 50)]
    const rounds = first.measurements.flatMap(({ rounds }) =>
      rounds.map((round) => ({ ...round, rclone: { ...round.rclone, brokenOff: 3 } })),
    )
    const broken = { ...first, measurements: first.measurements.map((one) => ({ ...one, rounds })) }
    expect(mergedText([broken, second])).to.contain(
      '\n\n- rclone broke off 3 answers in "MOVE"; they were asked for again.\n',
    )
    expect(mergedText([second])).not.to.contain('broke off')
  })

  it('count which targets are met, that of memory among them', () => {
    expect(mergedText([run(100, 100, 50)])).to.contain('1 of 2 targets met')
    expect(mergedText([run(200, 100, 50)])).to.contain('2 of 2 targets met')
    expect(mergedText([run(100, 100, 95)])).to.contain('0 of 2 targets met')
  })
})
