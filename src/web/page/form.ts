import { ConflictError, ValidationError } from '../../errors.js'

/** What a form shows again when it was refused. */
export interface FormState {
  /** What the user wrote, by field; never a password. */
  readonly values: Readonly<Record<string, string>>
  /** What is wrong, by field. */
  readonly problems: Readonly<Record<string, string>>
  /** What is wrong with the form as a whole. */
  readonly message?: string | undefined
}

export const EMPTY_FORM: FormState = { values: {}, problems: {} }

/** Fields that a page never shows again. */
const SECRET = /pass|secret|key|code|token/i

/**
 * The texts of a form that was sent. A field that came several times counts as not sent, except those of `lists`.
 * @param body as Express' parser of forms gives it
 */
export function textsOf(body: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fieldsOf(body)).filter((field): field is [string, string] => typeof field[1] === 'string'),
  )
}

/** All values of a field that may come several times, as checkboxes do. */
export function listOf(body: unknown, name: string): string[] {
  const value = fieldsOf(body)[name]
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function fieldsOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? { ...body } : {}
}

/** The form as it is shown at first, with what is stored. */
export function formOf(stored: Readonly<Record<string, string | number | undefined>>): FormState {
  const values = Object.entries(stored).map(([name, value]) => [name, value === undefined ? '' : String(value)])
  return { values: Object.fromEntries(values) as Record<string, string>, problems: {} }
}

/**
 * Does what a form asks for. What the services refuse is shown with the form, each problem at its field; everything else is
 * thrown on.
 */
export async function submit<T>(
  body: unknown,
  work: () => Promise<T>,
): Promise<{ readonly done: true; readonly value: T } | { readonly done: false; readonly form: FormState }> {
  try {
    return { done: true, value: await work() }
  } catch (error) {
    const form = refusedForm(body, error)
    if (form === undefined) throw error
    return { done: false, form }
  }
}

/** Undefined for errors that a form cannot explain. */
export function refusedForm(body: unknown, error: unknown): FormState | undefined {
  const values = Object.fromEntries(Object.entries(textsOf(body)).filter(([name]) => !SECRET.test(name)))
  if (error instanceof ValidationError) {
    const problems: Record<string, string> = {}
    // The first problem of a field is the one to mend first.
    for (const { field, message } of error.problems) problems[field] ??= message
    return { values, problems }
  }
  if (error instanceof ConflictError) return { values, problems: {}, message: error.message }
  return undefined
}
