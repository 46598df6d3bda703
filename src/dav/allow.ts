/** The verbs there are, for `Allow`; the same everywhere, since telling them apart would cost a look at the server. */
export const ALLOWED = 'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK'
