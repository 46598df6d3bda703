/** `npm run faults`: every case. Otherwise a part that takes turns over kinds of servers and faults, always the same. */
export const FULL = process.env['FAULTS'] === 'full'
