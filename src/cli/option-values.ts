import { InvalidArgumentError } from 'commander'

/** A whole number; its range is the business of whoever takes it. @throws InvalidArgumentError */
export function numberOption(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

/** What was given: services tell "not said" from "said to be nothing". */
export function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
