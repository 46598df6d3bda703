/** A moment as Sequelize stores it in SQLite; such texts sort by time. */
export function sqlDate(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('Z', ' +00:00')
}

/** What `sqlDate` wrote; an invalid date for anything else. */
export function dateOfSql(text: string): Date {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) \+00:00$/.exec(text)
  return new Date(match ? `${match[1]}T${match[2]}Z` : NaN)
}
