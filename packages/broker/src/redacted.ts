// A value that must not be seen: every way to print it says `<redacted>`; `reveal` is the only way to it,
// so that each use can be found by its name.

import { inspect } from 'node:util'

const SHOWN = '<redacted>'

export class Redacted<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}
