import { Command, InvalidArgumentError, Option } from 'commander'
import { EXPORT_FORMATS, exportEvents, type ExportFormat } from '../../audit/audit-export.js'
import type { KnownAnchor } from '../../audit/verify-chain.js'
import type { CommandContext } from '../context.js'
import { CommandFailed } from '../failure.js'

interface ExportOptions {
  readonly format: ExportFormat
  readonly from?: Date
  readonly to?: Date
}

export function auditCommand({ terminal, withServices }: CommandContext): Command {
  const command = new Command('audit').description('Who did what: check it and take it elsewhere')

  command
    .command('verify')
    .description('read the whole chain of events; fails, naming the first wrong event, if it was tampered with')
    .option('--anchor <event:hash>', 'an anchor that was kept elsewhere, e.g. in the log; repeatable', anchors, [])
    .action(async ({ anchor }: { anchor: KnownAnchor[] }) => {
      await withServices(async ({ audit }) => {
        const result = await audit.verify(anchor)
        if (!result.ok) throw new CommandFailed(`${result.problem}: ${result.message}`)
        const { events, first, last, anchors: compared } = result
        const range = events === 0 ? '' : ` (${first} to ${last})`
        terminal.out(`${events} events${range} are as they were recorded; ${compared} anchors fit.`)
      })
    })

  command
    .command('export')
    .description('write the events to the standard output, the oldest first')
    .addOption(
      new Option('--format <format>', 'for a spreadsheet or for a program').choices(EXPORT_FORMATS).default('csv'),
    )
    .option('--from <date>', 'a day as 2026-01-31, or a moment as 2026-01-31T12:00:00Z', (text) =>
      moment(text, 'begin'),
    )
    .option('--to <date>', 'likewise; a day counts whole', (text) => moment(text, 'end'))
    .action(async ({ format, from, to }: ExportOptions) => {
      await withServices(async ({ audit }) => {
        for await (const line of exportEvents(audit.entries({ from, to }), format)) terminal.out(line.slice(0, -1))
      })
    })

  return command
}

function anchors(text: string, before: readonly KnownAnchor[]): KnownAnchor[] {
  const [, event, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (event === undefined || hash === undefined) throw new InvalidArgumentError('It must read event:hash.')
  return [...before, { event: Number(event), hash }]
}

const DAY = 24 * 3_600_000

/** Days are those of UTC, as all times in the export. */
function moment(text: string, edge: 'begin' | 'end'): Date {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  const date = new Date(text)
  if (!(isDay || isMoment) || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('It must read 2026-01-31 or 2026-01-31T12:00:00Z.')
  }
  return isDay && edge === 'end' ? new Date(date.getTime() + DAY) : date
}
