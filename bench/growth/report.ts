import { align } from '../report.js'
import type { Axis, Measure, Point } from './axis.js'
import { lineChart } from './line-chart.js'

/** Above the exponent that a measure may have, for the sake of noise: ten times as much may cost 1.6 times too much. */
const TOLERANCE = 0.2

export interface Grown {
  readonly axis: Axis
  readonly points: readonly Point[]
}

/**
 * How steeply a cost grows from one point to the next: 0 not at all, 1 in step, 2 with the square. Undefined where it
 * cannot be told.
 */
export function exponent(measure: Measure, from: Point, to: Point): number | undefined {
  const [a = 0, b = 0] = [from.values[measure.name], to.values[measure.name]]
  if (a <= 0 || b <= 0 || from.size <= 0) return undefined
  return Math.log(b / a) / Math.log(to.size / from.size)
}

export function isTooSteep(measure: Measure, grows: number | undefined): boolean {
  return grows !== undefined && grows > measure.may + TOLERANCE
}

/** A line for each measure; behind each figure the exponent since the point before, in bold where it is too steep. */
export function growthTable({ axis, points }: Grown): string {
  const lines = axis.measures.map((measure) => [
    `${measure.name}, ${measure.unit}`,
    ...points.map((point, at) => {
      const value = figure(point.values[measure.name])
      const before = points[at - 1]
      const grows = before && exponent(measure, before, point)
      if (grows === undefined) return value
      const text = `(${grows.toFixed(2).replace('-0.00', '0.00')})`
      return isTooSteep(measure, grows) ? `${value} **${text}**` : `${value} ${text}`
    }),
  ])
  const head = [axis.what, ...points.map(({ label }) => label)]
  return align([head, head.map(() => '---'), ...lines])
}

/** A sentence for each step that is steeper than it may be. */
export function tooSteep({ axis, points }: Grown): string[] {
  return points.slice(1).flatMap((point, at) =>
    axis.measures.flatMap((measure) => {
      const before = points[at]
      const grows = before && exponent(measure, before, point)
      return grows !== undefined && isTooSteep(measure, grows)
        ? [`${axis.title}, ${before?.label} to ${point.label}: ${measure.name} grows with exponent ${grows.toFixed(2)}`]
        : []
    }),
  )
}

export function growthChart({ axis, points }: Grown): string {
  // Nothing has a logarithm of its own.
  const place = ({ size }: Point) => Math.max(size, 1)
  return lineChart({
    title: axis.title,
    x: axis.what,
    y: 'ms',
    ticks: points.map((point) => [place(point), point.label]),
    lines: axis.measures
      .filter(({ plotted }) => plotted)
      .map(({ name }) => ({ name, points: points.map((point) => [place(point), point.values[name] ?? 0]) })),
  })
}

function figure(value: number | undefined): string {
  if (value === undefined) return '-'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
