// What tests make at some cost and share: made by the first that needs it, kept under the hash of all that it is made of.
// A file is whole or not there, since it is renamed into place, and is made anew where its digest does not fit. That one
// process makes it while others wait saves work and nothing else: whoever waits in vain makes it too.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Gone with `node_modules`, which `npm ci` makes anew. */
const DIRECTORY = resolve(import.meta.dirname, '../node_modules/.cache/casemate-tests')
const DIGEST_SIZE = 32
const LOOK_AGAIN_MS = 20
const LONGEST_WAIT_MS = 60_000

export interface Recipe {
  /** All that the bytes depend on: other ingredients, other bytes. */
  readonly ingredients: readonly (string | Uint8Array)[]
  readonly make: () => Uint8Array | Promise<Uint8Array>
  readonly directory?: string
}

export async function madeOnce({
  ingredients,
  make,
  directory = DIRECTORY,
}: Recipe): Promise<Uint8Array<ArrayBuffer>> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, nameOf(ingredients))
  for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
    const made = read(path)
    if (made !== null) return made
    const release = claim(`${path}.maker`)
    if (release !== null || waitedMs >= LONGEST_WAIT_MS) {
      try {
        return read(path) ?? write(path, await make())
      } finally {
        release?.()
      }
    }
    await sleep(LOOK_AGAIN_MS)
  }
}

/** Lengths between, so that no two lists of ingredients run together. */
function nameOf(ingredients: Recipe['ingredients']): string {
  const hash = createHash('sha256')
  for (const ingredient of ingredients) hash.update(`${Buffer.byteLength(ingredient)}:`).update(ingredient)
  return hash.digest('hex')
}

function read(path: string): Uint8Array<ArrayBuffer> | null {
  const content = readIfThere(path)
  const bytes = content?.subarray(DIGEST_SIZE)
  if (content === null || bytes === undefined) return null
  return digestOf(bytes).equals(content.subarray(0, DIGEST_SIZE)) ? new Uint8Array(bytes) : null
}

function write(path: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const draft = `${path}.${randomUUID()}`
  try {
    writeFileSync(draft, Buffer.concat([digestOf(bytes), bytes]), { mode: 0o600 })
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  return new Uint8Array(bytes)
}

/** Gives a function that gives the claim back, or null if a process that lives has it. */
function claim(path: string): (() => void) | null {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return () => rmSync(path, { force: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    // Nothing yet of one that has only just opened the file, which lives.
    const holder = Number(readIfThere(path)?.toString() ?? '')
    if (holder !== 0 && !isAlive(holder)) rmSync(path, { force: true })
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
