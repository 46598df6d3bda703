type World = ReadonlyMap<string, number>
type Change = ReadonlyMap<string, number | undefined>

/** The states that a folder may be in: one, until the outcome of a change is unknown. Values are versions. */
export class Worlds {
  #possible: readonly World[] = [new Map()]

  get sure(): boolean {
    return this.#possible.length === 1
  }

  /** Every name that holds something in some world. */
  get names(): string[] {
    return [...new Set(this.#possible.flatMap((world) => [...world.keys()]))]
  }

  /** @returns what is known of a name, when that is sure */
  valueOf(name: string): number | undefined {
    return this.#possible[0]?.get(name)
  }

  happened(change: Change): void {
    this.#possible = this.#possible.map((world) => after(world, change))
  }

  mayHaveHappened(change: Change): void {
    this.#possible = [...this.#possible, ...this.#possible.map((world) => after(world, change))]
  }

  /** Keeps the worlds in which one sees this. @returns false, and keeps all, when there is none */
  narrow(seen: Change): boolean {
    const left = this.#possible.filter((world) => [...seen].every(([name, value]) => world.get(name) === value))
    if (left.length === 0) return false
    this.#possible = left.slice(0, 1)
    return true
  }

  /** From here on this is what stands there. */
  accept(seen: Change): void {
    this.#possible = [after(this.#possible[0] ?? new Map(), seen)]
  }

  text(names: readonly string[]): string {
    const one = (world: World) => names.map((name) => `${name}: ${world.get(name) ?? 'nothing'}`).join(', ')
    return this.#possible.map(one).join(', or ')
  }
}

function after(world: World, change: Change): World {
  const next = new Map(world)
  for (const [name, value] of change) {
    if (value === undefined) next.delete(name)
    else next.set(name, value)
  }
  return next
}
