// A directory of one workload's secrets, in memory: a file system that has no disk below it (tmpfs, ramfs), which is
// checked and not believed. Its name says whose it is, so that the next start can remove what a crash has left.

import { randomBytes } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AgentError } from '../errors.ts'

/** f_type of statfs(2) that have no disk below. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** Where such a file system is mounted, in the order in which they are tried. */
const USUAL = ['/dev/shm', '/run'] as const

/** Any user may write, but nobody may rename another's (S_ISVTX). */
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

const PREFIX = 'casemate-run-'

/** Where a workload's secrets are files. */
export class MemoryDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Where a file is, or will be. */
  pathOf(name: string): string {
    return join(this.path, name)
  }

  /** Writes a file as a whole, for this user alone; a reader sees the old one or the new one. */
  write(name: string, content: Uint8Array): void {
    const draft = this.pathOf(`.${name}.new`)
    rmSync(draft, { force: true })
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx' })
    renameSync(draft, this.pathOf(name))
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/**
 * Makes one below `base`, or below the first place in memory that there is.
 * @throws {AgentError} directory-not-in-memory, directory-not-safe
 */
export function makeMemoryDirectory(
  base: string | null,
  env: Readonly<Record<string, string | undefined>>,
): MemoryDirectory {
  const chosen = base ?? usualBase(env)
  if (chosen === null) {
    throw new AgentError('directory-not-in-memory', 'there is no file system in memory that may be written', {
      hint: 'mount a tmpfs, and name it with --memory-directory; or give the secret as a variable',
    })
  }
  checkBase(chosen)
  removeStale(chosen)
  const name = `${PREFIX}${processTag(process.pid)}-${randomBytes(8).toString('hex')}`
  const directory = new MemoryDirectory(join(realpathSync(chosen), name))
  mkdirSync(directory.path, { mode: 0o700 })
  // Looked at again: what was checked may have been a link.
  if (IN_MEMORY.has(statfsSync(directory.path).type)) return directory
  directory.remove()
  throw new AgentError('directory-not-in-memory', `${chosen} was replaced while it was looked at`)
}

function usualBase(env: Readonly<Record<string, string | undefined>>): string | null {
  const places = [env['XDG_RUNTIME_DIR'], ...USUAL]
  return places.find((place): place is string => place !== undefined && isUsable(place)) ?? null
}

function isUsable(place: string): boolean {
  try {
    checkBase(place)
    return true
  } catch {
    return false
  }
}

function checkBase(base: string): void {
  let type: number
  try {
    type = statfsSync(base).type
  } catch (cause) {
    throw new AgentError('directory-not-in-memory', `${base} cannot be used`, { cause })
  }
  if (!IN_MEMORY.has(type)) {
    throw new AgentError(
      'directory-not-in-memory',
      `${base} is on a disk: file system 0x${type.toString(16)}`,
      {
        hint: 'secrets are written to a tmpfs or ramfs only, such as /dev/shm',
      },
    )
  }
  const { uid, mode } = statSync(base)
  const ours = uid === 0 || uid === process.getuid?.()
  if (!ours || ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0)) {
    throw new AgentError('directory-not-safe', `others may replace what is in ${base}`, {
      hint: 'a directory of this user or of root that others cannot write, or a sticky one',
    })
  }
}

/** What a process that is gone has left here. Of another user, or of another PID namespace, nothing is touched. */
function removeStale(base: string): void {
  for (const name of readdirSync(base)) {
    const [, tag, pid] = /^casemate-run-((\d+)-\d+-\d+)-[0-9a-f]{16}$/.exec(name) ?? []
    if (tag === undefined) continue
    const path = join(base, name)
    const entry = lstatSync(path, { throwIfNoEntry: false })
    if (entry?.isDirectory() !== true || entry.uid !== process.getuid?.()) continue
    if (namespaceOf(tag) !== namespaceOf(processTag(process.pid))) continue
    if (tag !== processTag(Number(pid))) rmSync(path, { recursive: true, force: true })
  }
}

function namespaceOf(tag: string): string | undefined {
  return tag.split('-')[2]
}

/** Process id, when it started, and the namespace in which the id means something: no two processes have the same. */
function processTag(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is a name in parentheses that may contain anything; the twenty-second is the start (proc(5)).
    const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
    return `${pid}-${startedAt}-${namespace}`
  } catch {
    return `${pid}-0-0`
  }
}
