/** One line of passwd(5), also of files in its format. */
export interface PasswdEntry {
  readonly name: string
  /** Second field: in files with hashes of their own the hash. */
  readonly hash: string
  readonly uid: number
  readonly gid: number
  readonly comment: string
  readonly home: string
  readonly shell: string
}

/** Lines that are none, such as comments, are left out. */
export function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', hash = '', uid = '', gid = '', comment = '', home = '', shell = ''] = line.split(':')
    if (name === '' || name.startsWith('#') || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return []
    return [{ name, hash, uid: Number(uid), gid: Number(gid), comment, home, shell }]
  })
}

/** What shadow(5) tells of whether an account may log in. */
export interface ShadowEntry {
  readonly locked: boolean
  /** Day since the epoch from which on the account is closed. */
  readonly expires: number | undefined
}

export function parseShadow(text: string): Map<string, ShadowEntry> {
  const lines = text.split('\n').filter((line) => line.includes(':'))
  return new Map(
    lines.map((line) => {
      const [name = '', hash = '', , , , , , expires = ''] = line.split(':')
      return [name, { locked: hash.startsWith('!'), expires: /^\d+$/.test(expires) ? Number(expires) : undefined }]
    }),
  )
}
