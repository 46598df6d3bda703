import { expect } from 'chai'
import type { Axis } from '../../bench/growth/axis.js'
import { growthChart, growthTable, tooSteep } from '../../bench/growth/report.js'

const axis: Axis = {
  name: 'entries',
  title: 'Entries',
  what: 'entries',
  measures: [
    { name: 'list', unit: 'ms', may: 1, plotted: true },
    { name: 'get', unit: 'ms', may: 0 },
  ],
  measure: () => Promise.resolve([]),
}
const point = (size: number, list: number, get: number) => ({ size, label: String(size), values: { list, get } })

describe('bench: growth', () => {
  it('tells how steeply a cost grows between neighbouring points', () => {
    const table = growthTable({ axis, points: [point(10, 5, 2), point(100, 50, 2), point(1000, 5000, 20)] })
    expect(table.split('\n').map((line) => line.replace(/ +/g, ' '))).to.deep.equal([
      '| entries | 10 | 100 | 1000 |',
      '| -------- | ---- | ----------- | --------------- |',
      '| list, ms | 5.00 | 50.0 (1.00) | 5000 **(2.00)** |',
      '| get, ms | 2.00 | 2.00 (0.00) | 20.0 **(1.00)** |',
    ])
  })

  it('names what grows faster than in step, and what grows at all where nothing may', () => {
    const points = [point(10, 5, 2), point(100, 50, 2), point(1000, 5000, 20)]
    expect(tooSteep({ axis, points })).to.deep.equal([
      'Entries, 100 to 1000: list grows with exponent 2.00',
      'Entries, 100 to 1000: get grows with exponent 1.00',
    ])
  })

  it('tells no exponent from a point at nothing, or of a measure that is missing', () => {
    const points = [point(0, 5, 2), { size: 10, label: '10', values: { list: 50 } }]
    expect(tooSteep({ axis, points })).to.deep.equal([])
  })

  it('draws the lines that are to be plotted, with a title that XML can hold', () => {
    const svg = growthChart({ axis: { ...axis, title: 'A <&> B' }, points: [point(10, 5, 2), point(1000, 500, 2)] })
    expect(svg).to.contain('A &lt;&amp;> B')
    expect(svg.match(/<circle/g)).to.have.length(2)
    expect(svg).to.contain('>list</text>').and.not.to.contain('>get</text>')
  })
})
