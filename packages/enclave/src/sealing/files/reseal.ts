// Moves many sealed files, one after the other: files and directories, with all that is below. What fails is told at
// the end and does not keep the others; what is not sealed, or is a link, is left alone.
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EnclaveError } from '../../errors.ts'
import { fileError, onFile } from '../file-errors.ts'
import { isUnfinished, removeUnfinished } from './new-file.ts'
import { type ResealOptions, resealFile } from './reseal-file.ts'
import { isSealedFile } from './sealed-file.ts'

export interface FailedFile {
  readonly path: string
  readonly error: EnclaveError
}

export interface ResealSummary {
  readonly moved: number
  /** Were there before; those of a run that was interrupted are among them. */
  readonly already: number
  /** In directories: not sealed, or links. */
  readonly left: number
  readonly failures: readonly FailedFile[]
  /** Stopped before all were looked at; the same run again does the rest. */
  readonly interrupted: boolean
}

/** The work that there is, before anything is done. */
export interface SealedTree {
  readonly files: readonly { readonly path: string; readonly size: number }[]
  readonly left: number
  readonly failures: readonly FailedFile[]
}

/** The sealed files that paths stand for, each once; what a killed run left unfinished is taken away. */
export async function findSealed(paths: readonly string[]): Promise<SealedTree> {
  const found = new Search()
  for (const path of paths) await found.look(path)
  return found
}

export async function resealAll(tree: SealedTree, options: ResealOptions): Promise<ResealSummary> {
  const failures = [...tree.failures]
  let [moved, already] = [0, 0]
  for (const { path } of tree.files) {
    if (options.signal?.aborted === true) break
    try {
      if (await resealFile(path, options)) moved++
      else already++
    } catch (error) {
      const failed = fileError(error, path, 'file-unreadable')
      if (failed.code === 'interrupted') break
      failures.push({ path, error: failed })
    }
  }
  const looked = moved + already + failures.length - tree.failures.length
  return { moved, already, left: tree.left, failures, interrupted: looked < tree.files.length }
}

class Search implements SealedTree {
  readonly files: { readonly path: string; readonly size: number }[] = []
  readonly failures: FailedFile[] = []
  left = 0
  readonly #seen = new Set<string>()
  readonly #cleaned = new Set<string>()

  /** A path that somebody named: a link is followed, and what is not sealed is a failure. */
  look(path: string): Promise<void> {
    return this.#keep(path, async () => {
      const real = await onFile(path, 'file-unreadable', () => realpath(path))
      const { isDirectory, size } = await this.#stat(real)
      if (isDirectory) return this.#directory(real)
      await this.#clean(dirname(real))
      if (!(await isSealedFile(real)))
        throw new EnclaveError('seal-malformed', `${path} does not begin as something sealed does`)
      this.#add(real, size)
    })
  }

  async #directory(directory: string): Promise<void> {
    if (this.#seen.has(directory)) return
    this.#seen.add(directory)
    await this.#clean(directory)
    const entries = await onFile(directory, 'file-unreadable', () =>
      readdir(directory, { withFileTypes: true }),
    )
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      await this.#keep(join(directory, entry.name), () => this.#entry(directory, entry))
  }

  async #entry(directory: string, entry: Dirent): Promise<void> {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return this.#directory(path)
    if (isUnfinished(entry.name)) return
    if (!entry.isFile() || !(await isSealedFile(path))) this.left++
    else this.#add(path, (await this.#stat(path)).size)
  }

  #add(path: string, size: number): void {
    if (this.#seen.has(path)) return
    this.#seen.add(path)
    this.files.push({ path, size })
  }

  #stat(path: string): Promise<{ readonly isDirectory: boolean; readonly size: number }> {
    return onFile(path, 'file-unreadable', async () => {
      const found = await stat(path)
      return { isDirectory: found.isDirectory(), size: found.size }
    })
  }

  async #clean(directory: string): Promise<void> {
    if (this.#cleaned.has(directory)) return
    this.#cleaned.add(directory)
    await removeUnfinished(directory)
  }

  async #keep(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.failures.push({ path, error: fileError(error, path, 'file-unreadable') })
    }
  }
}
