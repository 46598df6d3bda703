import { ValidationError, type Problem } from '../../../errors.js'
import { parseInput } from '../../../parse-input.js'
import type { Server } from '../../../servers/server.js'
import type { ProvisionerSecretName, SecretChanges } from '../../../sync/provisioner-settings.js'
import { provisionerInput, type ProvisionerInput } from '../../../sync/provisioner-service.js'
import { listOf, textsOf, type FormState } from '../../page/form.js'
import { missingIn } from './missing-in.js'
import { settingsOf, type KindOfAccounts } from './setting-fields.js'

type Texts = Readonly<Record<string, string>>

/** What the form of a kind says, with the secrets that it changes apart: null takes one away. */
export interface ProvisionerForm {
  readonly input: ProvisionerInput
  readonly secrets: SecretChanges
}

/**
 * @param stored names of the secrets that are there already and stay
 * @throws ValidationError with all that is wrong, each at the field where it is mended
 */
export function provisionerFormOf(
  body: unknown,
  kind: KindOfAccounts,
  server: Server,
  stored: readonly ProvisionerSecretName[],
): ProvisionerForm {
  const texts = textsOf(body)
  // Programs of the gateway itself need no SSH; all others need one that somebody has told of.
  const needsSsh = texts['settings.where'] !== 'gateway' && !logsInByItself(server)
  const settings = settingsOf(body, kind, needsSsh ? ['settings.ssh'] : [])
  const secrets = secretsOf(texts, kind)
  const secretKind = kind.keys && texts.secretKind === 'key' ? 'key' : 'password'
  const input = {
    settings: settings as unknown as ProvisionerInput['settings'],
    ...({ secretKind, automatic: texts.automatic === 'on' } as const),
    checkEvery: numberOf(texts.checkEvery),
    rotateEvery: numberOf(texts.rotateEvery),
  }
  const given = Object.entries(secrets).filter(([, text]) => text !== null)
  const has = new Set<string>([...stored.filter((name) => secrets[name] !== null), ...given.map(([name]) => name)])
  const missing = missingIn(settings, { has, keys: secretKind === 'key' })
  if (missing.length > 0) throw new ValidationError([...missing, ...problemsOf(input)])
  return { input, secrets }
}

/** Each problem at its field: `provisioner.settings.groups[1]` is one of `settings.groups`. Secrets are not shown again. */
export function atOwnFields(form: FormState, body: unknown): FormState {
  const problems: Record<string, string> = {}
  for (const [field, text] of Object.entries(form.problems)) {
    const [, name = field, line] = /^(?:provisioner\.)?(.*?)(?:\[(\d+)\])?$/.exec(field) ?? []
    problems[name] ??= line === undefined ? text : `in line ${Number(line) + 1} ${text}`
  }
  const shown = Object.keys(textsOf(body)).filter((name) => !name.startsWith('secrets.'))
  const lists = ['settings.secrets'].map((name) => [name, listOf(body, name).join('\n')] as const)
  const values = {
    ...Object.fromEntries(shown.map((name) => [name, textsOf(body)[name] ?? ''])),
    ...Object.fromEntries(lists),
  }
  return { ...form, values, problems }
}

/** SSH works with the server's own address and admin login. */
export function logsInByItself({ protocol, adminUser }: Server): boolean {
  return protocol === 'sftp' && adminUser !== undefined
}

function secretsOf(texts: Texts, { secrets }: KindOfAccounts): SecretChanges {
  const found = secrets.flatMap(({ name }) => {
    const key = name.replace('secrets.', '')
    const text = texts[name] ?? ''
    if (text !== '') return [[key, text]]
    return texts[`forget.${key}`] === 'on' ? [[key, null]] : []
  })
  return Object.fromEntries(found) as SecretChanges
}

/** Empty: null. What is no number is refused by the service. */
function numberOf(text: string | undefined): number | null {
  return text === undefined || text.trim() === '' ? null : Number(text)
}

function problemsOf(input: ProvisionerInput): readonly Problem[] {
  try {
    parseInput(provisionerInput, input, 'provisioner')
    return []
  } catch (error) {
    if (error instanceof ValidationError) return error.problems
    throw error
  }
}
