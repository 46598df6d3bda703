/** Links from one page of a list to the others. */
export interface Paging {
  readonly page: number
  readonly pages: number
  readonly total: number
  /** Number of the first and last item shown, from 1. */
  readonly first: number
  readonly last: number
  readonly previous: string | undefined
  readonly next: string | undefined
}

/** @param wanted page, from 1; one past the end shows the last */
export function pagingOf(total: number, size: number, wanted: number, href: (page: number) => string): Paging {
  const pages = Math.max(1, Math.ceil(total / size))
  const page = Math.min(Math.max(1, wanted), pages)
  return {
    page,
    pages,
    total,
    first: total === 0 ? 0 : (page - 1) * size + 1,
    last: Math.min(total, page * size),
    previous: page > 1 ? href(page - 1) : undefined,
    next: page < pages ? href(page + 1) : undefined,
  }
}

/** `path` with the parts of a query that say something. */
export function hrefWith(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}
