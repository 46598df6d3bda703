/** Namespace URIs that a gateway for files meets. */
export const DAV = 'DAV:'
export const XML = 'http://www.w3.org/XML/1998/namespace'
/** Windows Explorer's file times and attributes. */
export const WIN32 = 'urn:schemas-microsoft-com:'

/** Name of an element: namespace URI ('' for none) and local name. */
export interface QName {
  readonly namespace: string
  readonly name: string
}

/** One string for a name, for maps: no URI and no XML name holds a space. */
export function keyOf(name: QName): string {
  return `${name.namespace} ${name.name}`
}
