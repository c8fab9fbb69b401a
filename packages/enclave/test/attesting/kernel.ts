// Files that behave as configfs-tsm of Linux does (drivers/virt/coco/tsm.c, fs/configfs/file.c): an entry has its attributes
// as soon as it is made, `inblob` is looked at when it is closed and its refusal is lost, `outblob` is made anew when anything
// was written since, and may take its time or fail; only the provider knows what is in it.
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformFiles } from '../../src/attesting/platform-files.ts'

export interface KernelOptions {
  /** Null: none is registered. */
  readonly provider: string | null
  readonly sign: (reportData: Uint8Array, privilegeLevel: number) => Uint8Array
  readonly auxblob?: Uint8Array
  /** Absent: the attribute is not shown. */
  readonly floor?: number
  readonly signingMs?: number
  /** Errno names with which the next reads of `outblob` fail. */
  readonly failures?: string[]
  /** The generation of a new entry. */
  readonly generation?: bigint
  /** Done by somebody else while we read `outblob`. */
  readonly meanwhile?: (entry: Entry) => void
  /** Drops so many writes of `inblob`, as the kernel does with those that it refuses. */
  readonly dropped?: { count: number }
}

export interface Entry {
  inblob: Uint8Array
  privilegeLevel: number
  written: bigint
  read: bigint | null
  outblob: Uint8Array
}

export function errno(code: string): Error {
  return Object.assign(new Error(code), { code })
}

const MASK = (1n << 64n) - 1n

export class TsmKernel implements PlatformFiles {
  readonly entries = new Map<string, Entry>()
  readonly made: string[] = []
  readonly #options: KernelOptions

  constructor(options: KernelOptions) {
    this.#options = options
  }

  readonly makeDirectory = async (path: string): Promise<void> => {
    if (this.#options.provider === null) throw errno('ENXIO')
    if (this.entries.has(path)) throw errno('EEXIST')
    const written = this.#options.generation ?? 0n
    const entry = {
      inblob: new Uint8Array(),
      privilegeLevel: 0,
      written,
      read: null,
      outblob: new Uint8Array(),
    }
    this.entries.set(path, entry)
    this.made.push(path)
  }

  readonly removeDirectory = async (path: string): Promise<void> => {
    if (!this.entries.delete(path)) throw errno('ENOENT')
  }

  readonly isThere = async (path: string): Promise<boolean> => {
    if (basename(path) === 'privlevel_floor') return this.#options.floor !== undefined
    return this.entries.has(path) || this.entries.has(dirname(path))
  }

  readonly write = async (path: string, bytes: Uint8Array): Promise<void> => {
    const entry = this.#entryOf(path)
    const attribute = basename(path)
    if (attribute === 'privlevel') {
      const level = Number(new TextDecoder().decode(bytes))
      if (!(level >= (this.#options.floor ?? 0) && level <= 3)) throw errno('EINVAL')
      entry.privilegeLevel = level
    } else if (attribute !== 'inblob') throw errno('EACCES')
    else if (bytes.length > 64 || (this.#options.dropped?.count ?? 0) > 0) {
      if (this.#options.dropped) this.#options.dropped.count--
      return
    } else entry.inblob = bytes.slice()
    entry.written = (entry.written + 1n) & MASK
  }

  readonly read = async (path: string, maxBytes: number): Promise<Uint8Array> => {
    const entry = this.#entryOf(path)
    const bytes = await this.#attribute(basename(path), entry)
    if (bytes.length > maxBytes) throw errno('EFBIG')
    return bytes.slice()
  }

  /** The same files, but for these operations. */
  but(changes: Partial<PlatformFiles>): PlatformFiles {
    const { read, write, makeDirectory, removeDirectory, isThere } = this
    return { read, write, makeDirectory, removeDirectory, isThere, ...changes }
  }

  async #attribute(name: string, entry: Entry): Promise<Uint8Array> {
    const text = (value: unknown): Uint8Array => new TextEncoder().encode(`${String(value)}\n`)
    switch (name) {
      case 'provider':
        return text(this.#options.provider)
      case 'generation':
        return text(entry.written)
      case 'privlevel_floor':
        return text(this.#options.floor)
      case 'outblob':
        return this.#outblob(entry)
      case 'auxblob':
        if (this.#options.provider !== 'sev_guest') throw errno('ENOENT')
        return this.#options.auxblob ?? new Uint8Array()
      default:
        throw errno('EACCES')
    }
  }

  async #outblob(entry: Entry): Promise<Uint8Array> {
    if (entry.inblob.length === 0) throw errno('EINVAL')
    if (entry.read === entry.written) return entry.outblob
    await sleep(this.#options.signingMs ?? 0)
    this.#options.meanwhile?.(entry)
    const failure = this.#options.failures?.shift()
    if (failure !== undefined) throw errno(failure)
    if (entry.inblob.length !== 64) throw errno('EINVAL')
    entry.outblob = this.#options.sign(entry.inblob, entry.privilegeLevel)
    entry.read = entry.written
    return entry.outblob
  }

  #entryOf(path: string): Entry {
    const entry = this.entries.get(dirname(path))
    if (entry === undefined) throw errno('ENOENT')
    return entry
  }
}
