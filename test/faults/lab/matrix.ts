/** One row of the fault matrix: a fault, and what a user may see of it. */
export interface MatrixRow {
  readonly row: number
  readonly fault: string
  readonly sees: string
  /** With the default deadlines. */
  readonly bound: string
  /** Why no test is here. */
  readonly leftOut?: string
}

const ONE_GATEWAY = 'a single gateway with SQLite cannot meet it'

/** What may go wrong, and what is promised. docs/faults.md is made from this and from the tests of these rows. */
export const MATRIX: readonly MatrixRow[] = [
  {
    row: 1,
    fault: 'The server refuses connections',
    sees: '502; from the third on 503 with Retry-After',
    bound: '1 s; 503 at once',
  },
  { row: 2, fault: 'The server is a black hole', sees: '504, then 503; other servers as always', bound: '10 s' },
  { row: 3, fault: 'The server accepts and never greets', sees: '504; other servers as always', bound: '10 s' },
  { row: 4, fault: 'Silence after AUTH TLS', sees: '504; no password was sent', bound: '10 s' },
  { row: 5, fault: 'Replies drip for ever', sees: '504; other servers as always', bound: '15 s' },
  {
    row: 6,
    fault: 'A download stalls',
    sees: 'it goes on by itself, once; else the connection is cut, never ended cleanly',
    bound: '30 s of silence',
  },
  {
    row: 7,
    fault: 'An upload stalls',
    sees: '504; the old file is whole',
    bound: '30 s without progress while there is something to send',
  },
  { row: 8, fault: 'A download is reset', sees: 'as row 6', bound: '1 s' },
  { row: 9, fault: 'An upload is reset', sees: '502; the old file is whole', bound: '2 s' },
  {
    row: 10,
    fault: 'A reset around the rename that ends an upload',
    sees: '201 or 204 when it was found done or could be finished, else 502',
    bound: '10 s',
  },
  {
    row: 11,
    fault: 'The host key or certificate changed',
    sees: '502; no password was sent',
    bound: '10 s',
  },
  {
    row: 12,
    fault: 'The login is rejected, e.g. after a new password there',
    sees: '403 REMOTE_CREDENTIALS; one attempt reaches the server',
    bound: 'as the server takes; then at once',
  },
  {
    row: 13,
    fault: 'The server restarts',
    sees: '502 or 503 while it is down, then all is well without a restart of the gateway',
    bound: '10 s after it is back',
  },
  { row: 14, fault: 'An idle connection ended or fell silent', sees: 'nothing', bound: 'one more login' },
  {
    row: 15,
    fault: 'The server takes no more connections',
    sees: 'requests wait, then 503 with Retry-After',
    bound: '5 s of waiting',
  },
  { row: 16, fault: 'The disk of the server is full', sees: '507; the old file is whole', bound: '5 s' },
  { row: 17, fault: 'A quota or size limit of the server', sees: '507; the old file is whole', bound: '5 s' },
  { row: 18, fault: 'The server is slow', sees: 'slow success', bound: 'none while bytes move' },
  {
    row: 19,
    fault: 'Listings and replies that make no sense',
    sees: '502 (507 beyond 32 MiB), never a shorter listing',
    bound: '60 s',
  },
  { row: 20, fault: 'Data ports are blocked', sees: '504', bound: '15 s' },
  { row: 21, fault: 'PASV names another host', sees: '502; nobody connects there', bound: '1 s' },
  {
    row: 22,
    fault: 'The gateway is killed (kill -9)',
    sees: 'cut connections; what was acknowledged is there, the rest is as before',
    bound: 'start 3 s; temporary files 60 s',
  },
  {
    row: 23,
    fault: 'SIGTERM while transfers run',
    sees: 'they may end in time, then they are cut; new connections are refused, a request on an open one gets 503',
    bound: '30 s + 2 s',
  },
  { row: 24, fault: 'A second signal', sees: 'cut connections', bound: '1 s' },
  {
    row: 25,
    fault: 'The database is locked by another process',
    sees: 'reads go on; changes get 503 with Retry-After',
    bound: '5 s',
  },
  {
    row: 26,
    fault: 'The database cannot be written, or is damaged',
    sees: '503 for changes; with a damaged file it does not start',
    bound: '5 s',
  },
  { row: 27, fault: 'PostgreSQL is lost', sees: '', bound: '', leftOut: ONE_GATEWAY },
  { row: 28, fault: 'Redis is lost', sees: '', bound: '', leftOut: `${ONE_GATEWAY}, and no Redis is used` },
  {
    row: 29,
    fault: 'A client gives up an upload',
    sees: 'the old file is whole, nothing temporary stays',
    bound: '5 s; silence 60 s',
  },
  { row: 30, fault: 'A client gives up a download', sees: 'the server stops sending', bound: '2 s' },
  { row: 31, fault: 'A client stops reading', sees: 'it is cut; little memory is held for it', bound: '60 s' },
  {
    row: 32,
    fault: 'A client drips headers or a body',
    sees: '408 or a cut; other clients as always',
    bound: '15 s; bodies 60 s',
  },
  { row: 33, fault: 'The clock jumps', sees: 'nothing', bound: '' },
  {
    row: 34,
    fault: 'No file descriptor is left',
    sees: '503 for what needs a new connection; the rest goes on',
    bound: '5 s',
  },
  { row: 35, fault: 'Little memory', sees: 'success, or 503', bound: '' },
  {
    row: 36,
    fault: 'DNS: unknown names, no answer, names of forbidden addresses',
    sees: '502 or 504; nobody connects to a forbidden address',
    bound: '10 s',
  },
  { row: 37, fault: 'One of two address families is dead', sees: 'success', bound: '2 s' },
  { row: 38, fault: 'Answers out of step after a broken transfer', sees: 'nothing', bound: '' },
  { row: 39, fault: 'Logins mixed up in the pool', sees: 'nothing: own files only', bound: '' },
  {
    row: 40,
    fault: 'A permission ends during a transfer',
    sees: 'the transfer is cut, then 404: the folder is not there any more',
    bound: '1 s',
  },
  { row: 41, fault: 'The disk of the log is full', sees: 'nothing', bound: '' },
  {
    row: 42,
    fault: 'A mistake in the gateway',
    sees: 'a rejection nobody handled: nothing; an exception nobody caught: cut connections, and a restart',
    bound: 'restart 3 s',
  },
]
