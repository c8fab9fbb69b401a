// Readers of single settings: text from a flag, the environment or YAML to a value, or a reason why not.
// A reader throws a plain Error whose message says what was expected; the caller adds which setting it was.

import { isIPv4, isIPv6 } from 'node:net'

/** A word that is not among those that a setting takes. */
export class WordError extends Error {
  override readonly name = 'WordError'
  readonly words: readonly string[]

  constructor(words: readonly string[], expected: string, cause?: unknown) {
    super(expected, { cause })
    this.words = words
  }
}

/** Text to a value. @throws {Error} whose message says what was expected */
export interface Reader<T> {
  (text: string): T
  /** Where it takes a few words and nothing else: all of them. */
  readonly words?: readonly string[]
}

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/
const MS_PER: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const SIZE = /^(\d{1,9})(B|KiB|MiB|GiB)$/
const BYTES_PER: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** `500ms`, `30s`, `5m`, `12h`, `30d` → milliseconds. */
export function readDuration(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? []
  const factor = MS_PER[unit ?? '']
  if (count === undefined || factor === undefined)
    throw new Error('a duration such as 500ms, 30s, 5m, 12h or 30d')
  return Number(count) * factor
}

/** `512B`, `64KiB`, `2MiB` → bytes. */
export function readSize(text: string): number {
  const [, count, unit] = SIZE.exec(text) ?? []
  const factor = BYTES_PER[unit ?? '']
  if (count === undefined || factor === undefined) throw new Error('a size such as 512B, 64KiB or 2MiB')
  return Number(count) * factor
}

export function readCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error('a whole number from 1 to 999999999')
  return Number(text)
}

/** Of a machine with more cores, several brokers are the better choice. */
const MOST_PROCESSES = 64

export function readProcesses(text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) > MOST_PROCESSES)
    throw new Error(`a whole number from 0 to ${MOST_PROCESSES}`)
  return Number(text)
}

export function readText(text: string): string {
  if (text === '' || /\p{Cc}/u.test(text)) throw new Error('text without control characters, not empty')
  return text
}

/** A list, separated by commas. */
export function readList(text: string): readonly string[] {
  return text === '' ? [] : text.split(',').map(item => readText(item.trim()))
}

/** Addresses and networks: `10.0.0.0/8`, `192.0.2.1`, `2001:db8::/32`. */
export function readNetworks(text: string): readonly string[] {
  const networks = readList(text)
  if (networks.every(isNetwork)) return networks
  throw new Error('IP addresses or networks such as 10.0.0.0/8, separated by commas')
}

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  return bits !== -1 && Number(prefix ?? 0) <= bits
}

export function readUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error('an http or https URL')
  return text.replace(/\/+$/, '')
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. */
export function readListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9a-zA-Z.-]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) > 65_535)
    throw new Error('host:port, such as 127.0.0.1:8080 or [::1]:8080')
  return { host, port: Number(port) }
}

export function readListenAddressOrOff(text: string): ListenAddress | 'off' {
  return text === 'off' ? 'off' : readListenAddress(text)
}

/** One of the listed words. */
export function readOneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  return withWords(words, text => {
    const word = words.find(candidate => candidate === text)
    if (word === undefined) throw new WordError(words, words.join(' | '))
    return word
  })
}

const BOOLEANS = ['true', 'false'] as const

export const readBoolean: Reader<boolean> = withWords(BOOLEANS, text => {
  if (text !== 'true' && text !== 'false') throw new WordError(BOOLEANS, 'true or false')
  return text === 'true'
})

/** The given word stands for null: the setting is visibly off, never an empty string. */
export function readUnless<T>(word: string, read: Reader<T>): Reader<T | null> {
  const readOther = (text: string): T | null => {
    if (text === word) return null
    try {
      return read(text)
    } catch (error) {
      const expected = error instanceof Error ? error.message : String(error)
      const words = error instanceof WordError ? error.words : []
      throw new WordError([...words, word], `${expected}, or ${word}`, error)
    }
  }
  return read.words === undefined ? readOther : withWords([...read.words, word], readOther)
}

function withWords<T>(words: readonly string[], read: (text: string) => T): Reader<T> {
  return Object.assign(read, { words })
}
