interface Details {
  /** Of the resource, by `entityTag`. */
  readonly etag?: string
}

export function ok<B>(body: B, details: Details = {}) {
  return { status: 200, body, ...details } as const
}

/** @param location where the new resource is */
export function created<B>(location: string, body: B, details: Details = {}) {
  return { status: 201, body, location, ...details } as const
}

/** @param location where to ask how far it is */
export function accepted<B>(location: string, body: B) {
  return { status: 202, body, location } as const
}

export function noContent() {
  return { status: 204 } as const
}

/** Text that is sent while it is made, as a file to save. */
export function download(
  stream: AsyncIterable<string> | Iterable<string>,
  { type, filename }: { type: string; filename: string },
) {
  return { status: 200, stream, type, filename } as const
}
