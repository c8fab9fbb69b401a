// Files that processes could leave behind: every regular file that they have open for writing, also one that was deleted
// meanwhile, and what the system says about their memory. Linux only.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** `O_ACCMODE` of open(2): read only is 0. */
const ACCESS_MODE = 3

export interface WrittenFile {
  readonly pid: number
  /** 1 and 2 are where whoever started the process wants its output. */
  readonly descriptor: number
  /** Where it is, or was. */
  readonly path: string
  /** Through which it can be read, deleted or not. */
  readonly handle: string
  readonly isDeleted: boolean
}

/** That process and all that it has started. */
export function familyOf(pid: number): number[] {
  const tasks = list(`/proc/${pid}/task`)
  const children = tasks.flatMap(task => read(`/proc/${pid}/task/${task}/children`).split(' '))
  return [pid, ...children.filter(child => child.trim() !== '').flatMap(child => familyOf(Number(child)))]
}

/** Regular files that a process has open for writing now. */
export function writtenFiles(pid: number): WrittenFile[] {
  return list(`/proc/${pid}/fd`).flatMap(descriptor => {
    const handle = `/proc/${pid}/fd/${descriptor}`
    const flags = /flags:\s+([0-7]+)/.exec(read(`/proc/${pid}/fdinfo/${descriptor}`))?.[1]
    if (flags === undefined || (Number.parseInt(flags, 8) & ACCESS_MODE) === 0 || !isFile(handle)) return []
    const path = readlinkSync(handle)
    const isDeleted = path.endsWith(' (deleted)')
    return [
      {
        pid,
        descriptor: Number(descriptor),
        handle,
        isDeleted,
        path: isDeleted ? path.slice(0, -' (deleted)'.length) : path,
      },
    ]
  })
}

/** Of all files in a folder, at any depth. */
export function filesIn(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}

/** A line of `/proc/PID/status`, such as `VmSwap`. */
export function statusOf(pid: number, name: string): string | null {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? null
}

/** A process, or one of its descriptors, may be gone by the time it is looked at. */
function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
