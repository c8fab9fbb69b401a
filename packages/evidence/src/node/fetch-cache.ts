// Answers on disk until their next update: one file for each item, named by the hash of its address, written to a
// temporary name and renamed, so that a crash leaves the old file or the new one. What cannot be read, is damaged or
// out of date counts as absent. The content stays untrusted; the checksum is against accidents, not against people.

import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** About 60 KiB each at most; a fleet has one VCEK for each machine and TCB. */
export const MAX_CACHED_ITEMS = 10_000
/** Longest file that is read back. */
const MAX_FILE_BYTES = 8 * 1024 * 1024
const SUFFIX = '.json'
const TEMPORARY = '.tmp'
/** An unfinished file that is older was left by a crash. */
const LEFTOVER_AGE_MS = 3_600_000
const WRITES_BETWEEN_PRUNINGS = 1000

export interface CachedItem {
  /** The saved HTTP answer. */
  readonly answer: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export class DiskCache {
  readonly #directory: string
  #writes = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Null where there is no usable file for this address at `now`. */
  async read(address: string, now: number): Promise<CachedItem | null> {
    const item = await this.#readFile(address)
    return item !== null && now < item.expiresAt ? item : null
  }

  /** @throws the system’s error where the directory cannot be written */
  async write(address: string, item: CachedItem, now: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    if (this.#writes++ % WRITES_BETWEEN_PRUNINGS === 0) await this.#prune(now)
    const text = JSON.stringify({ address, ...item, sha256: checksum(item.answer) })
    const temporary = join(this.#directory, randomUUID() + TEMPORARY)
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, this.#path(address))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async #readFile(address: string): Promise<CachedItem | null> {
    try {
      const path = this.#path(address)
      if ((await stat(path)).size > MAX_FILE_BYTES) return null
      return checkItem(JSON.parse(await readFile(path, 'utf8')), address)
    } catch (error) {
      // Absent, unreadable or cut off: the item is fetched again.
      if (error instanceof SyntaxError || isSystemError(error)) return null
      throw error
    }
  }

  // Leftovers of a crash go, and of too many items the ones that were written first.
  async #prune(now: number): Promise<void> {
    const names = await readdir(this.#directory)
    const items = names.filter(name => name.endsWith(SUFFIX))
    const isFull = items.length > MAX_CACHED_ITEMS
    const suspects = names.filter(name => name.endsWith(TEMPORARY) || (isFull && name.endsWith(SUFFIX)))
    const written = await Promise.all(suspects.map(name => this.#age(name, now)))
    const surplus = written
      .filter(({ name }) => name.endsWith(SUFFIX))
      .toSorted((a, b) => b.ageMs - a.ageMs)
      .slice(0, Math.max(0, items.length - MAX_CACHED_ITEMS))
    const leftovers = written.filter(({ name, ageMs }) => name.endsWith(TEMPORARY) && ageMs > LEFTOVER_AGE_MS)
    for (const { name } of [...surplus, ...leftovers]) await rm(join(this.#directory, name), { force: true })
  }

  // Another process may have removed it in the meantime.
  async #age(name: string, now: number): Promise<{ readonly name: string; readonly ageMs: number }> {
    const found = await stat(join(this.#directory, name)).catch(() => null)
    return { name, ageMs: found === null ? 0 : now - found.mtimeMs }
  }

  #path(address: string): string {
    return join(this.#directory, checksum(address) + SUFFIX)
  }
}

function checkItem(value: unknown, address: string): CachedItem | null {
  if (typeof value !== 'object' || value === null) return null
  const { address: found, answer, expiresAt, sha256 } = value as Record<string, unknown>
  if (found !== address || typeof answer !== 'string' || typeof expiresAt !== 'number') return null
  return sha256 === checksum(answer) ? { answer, expiresAt } : null
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
