// Whether the key file is still the one that this process has read or written. Without it nothing opens after the next
// start, and until then the keys are in this process alone: it is told while they can still be written anew.

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, statSync } from 'node:fs'
import { openExisting } from '@casemate/ledger/node'
import { BrokerError } from '../errors.ts'
import { readKeyText } from './key-file.ts'

/** `other`: something is there that has another content, or cannot be read. */
type KeyFileState = 'kept' | 'missing' | 'other'

export class KeyFileWatch {
  readonly #path: string
  /** SHA-256 of the contents that count: more than one only while a write is under way, or was cut off. */
  #expected: ReadonlySet<string>
  /** Of the file when it was last found to be kept, so that it is not read each time. */
  #stamp: string | null = null

  /** @param text what was read; null where there is no file yet */
  constructor(path: string, text: string | null) {
    this.#path = path
    this.#expected = new Set(text === null ? [] : [digestOf(text)])
  }

  /** Replaces the file by what `text` says; where that fails half-way, either is kept. */
  during(text: string, replace: () => void): void {
    const digest = digestOf(text)
    this.#expected = new Set([...this.#expected, digest])
    replace()
    this.#expected = new Set([digest])
  }

  /** @throws {BrokerError} `unavailable` where what is wrapped now might not be opened by the next start */
  assertKept(): void {
    const state = this.#look()
    if (state === 'missing') {
      throw new BrokerError('unavailable', `the key file ${this.#path} was removed while the broker runs`, {
        hint: 'do not stop this broker, which has the keys: casemate key rotate kek writes the file anew',
      })
    }
    if (state === 'other') throw this.#replaced()
  }

  /** A file there that is not ours may hold all keys that somebody has. @throws {BrokerError} `unavailable` */
  assertReplaceable(): void {
    if (this.#look() === 'other') throw this.#replaced()
  }

  #replaced(): BrokerError {
    return new BrokerError('unavailable', `the key file ${this.#path} was replaced while the broker runs`, {
      hint: 'do not stop this broker, which has the keys: put the former file back, or move this one away, and keep it; casemate key rotate kek then writes the file anew',
    })
  }

  #look(): KeyFileState {
    try {
      return this.#read()
    } catch {
      return 'other'
    }
  }

  #read(): KeyFileState {
    const found = statSync(this.#path, { bigint: true, throwIfNoEntry: false })
    if (found === undefined) return 'missing'
    if (this.#stamp === stampOf(found)) return 'kept'
    const file = openExisting(this.#path)
    if (file === null) return 'missing'
    try {
      const stamp = stampOf(fstatSync(file, { bigint: true }))
      if (!this.#expected.has(digestOf(readKeyText(file)))) return 'other'
      this.#stamp = stamp
      return 'kept'
    } finally {
      closeSync(file)
    }
  }
}

/** A write, a rename or a change of mode gives another one. */
function stampOf(stat: Record<'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs', bigint>): string {
  return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ')
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
