/** A line of a chart; both axes are logarithmic. */
export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly x: string
  readonly y: string
  /** Where the x axis is labelled. */
  readonly ticks: readonly (readonly [x: number, label: string])[]
  readonly lines: readonly Line[]
}

const WIDTH = 720
const HEIGHT = 400
const PLOT = { left: 64, right: 500, top: 44, bottom: 344 }
/** Told apart on white and on black, and by people who see few colours (after Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b38600', '#56b4e9']
/** Grey that can be read on white and on black. */
const INK = '#7a828a'

/** A chart as SVG, with a transparent ground for light and dark pages. */
export function lineChart({ title, x, y, ticks, lines }: Chart): string {
  const ys = lines.flatMap(({ points }) => points.map(([, value]) => value)).filter((value) => value > 0)
  const [bottom, top] = [Math.floor(Math.log10(Math.min(...ys))), Math.ceil(Math.log10(Math.max(...ys)))]
  const xs = ticks.map(([at]) => Math.log10(at))
  const scale = (value: number, from: number, to: number) => (to === from ? 0.5 : (value - from) / (to - from))
  const atX = (value: number) =>
    PLOT.left + scale(Math.log10(value), Math.min(...xs), Math.max(...xs)) * (PLOT.right - PLOT.left)
  const atY = (value: number) => PLOT.bottom - scale(Math.log10(value), bottom, top) * (PLOT.bottom - PLOT.top)
  const decades = Array.from({ length: top - bottom + 1 }, (_, n) => 10 ** (bottom + n))
  const drawn = lines.map(({ name, points }, n) => {
    const colour = COLOURS[n % COLOURS.length] ?? INK
    const seen = points.filter(([, value]) => value > 0)
    const path = seen.map(([a, b], at) => `${at === 0 ? 'M' : 'L'}${atX(a).toFixed(1)} ${atY(b).toFixed(1)}`).join('')
    const dots = seen.map(([a, b]) => `<circle cx="${atX(a).toFixed(1)}" cy="${atY(b).toFixed(1)}" r="3"/>`).join('')
    const key = PLOT.top + 12 + n * 22
    return (
      `<g fill="${colour}"><path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}` +
      `<path d="M${PLOT.right + 16} ${key}h18" stroke="${colour}" stroke-width="3"/></g>` +
      `<text x="${PLOT.right + 40}" y="${key + 4}">${escaped(name)}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<text x="${PLOT.left}" y="24" font-size="15" font-weight="600">${escaped(title)}</text>`,
    `<g stroke="${INK}" stroke-opacity="0.3">`,
    ...decades.map((value) => `<path d="M${PLOT.left} ${atY(value).toFixed(1)}H${PLOT.right}"/>`),
    ...ticks.map(([value]) => `<path d="M${atX(value).toFixed(1)} ${PLOT.top}V${PLOT.bottom}"/>`),
    '</g>',
    ...decades.map(
      (value) =>
        `<text x="${PLOT.left - 8}" y="${(atY(value) + 4).toFixed(1)}" text-anchor="end">${value >= 1 ? value.toLocaleString('en') : String(value)}</text>`,
    ),
    ...ticks.map(
      ([value, label]) =>
        `<text x="${atX(value).toFixed(1)}" y="${PLOT.bottom + 18}" text-anchor="middle">${escaped(label)}</text>`,
    ),
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(x)}</text>`,
    `<text x="14" y="${PLOT.top - 8}">${escaped(y)}</text>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
