/** Least squares: slope of the line through the points, and its standard error. */
export function lineThrough(points: readonly (readonly [number, number])[]): { slope: number; error: number } {
  const n = points.length
  if (n < 3) return { slope: 0, error: Infinity }
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const under = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = over / under
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, error: Math.sqrt(rest / (n - 2) / under) }
}
