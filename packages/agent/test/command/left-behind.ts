// Which processes and which files of a workload are left, for tests that kill an agent.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const TMPFS = 0x01021994
const hasTmpfs = existsSync('/dev/shm') && statfsSync('/dev/shm').type === TMPFS
/** Why such tests cannot be run here, or false. */
export const skip =
  !(process.platform === 'linux' && hasTmpfs) && 'process groups in /proc, and a tmpfs at /dev/shm'

/** What is waited for has to come; this is when a test that waits in vain gives up. */
const PATIENCE_MS = 60_000

/** Of a process that lives: its group, its directory and its command line. */
export interface Seen {
  readonly pid: number
  readonly group: number
  readonly cwd: string
  readonly line: string
}

export function living(): readonly Seen[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // Dead, and waits for whoever reaps it.
      if (state === 'Z' || state === 'X') return []
      const line = readFileSync(`/proc/${name}/cmdline`, 'latin1')
      return [{ pid: Number(name), group: Number(group), cwd: readlinkSync(`/proc/${name}/cwd`), line }]
    } catch {
      return []
    }
  })
}

export async function noneLeft(isOurs: (seen: Seen) => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const left = living().filter(isOurs)
    if (left.length === 0) return
    if (performance.now() > deadline) {
      for (const { pid } of left) process.kill(pid, 'SIGKILL')
      assert.fail(`${what}: there is still ${JSON.stringify(left)}`)
    }
    await sleep(20)
  }
}

export function memoryBase(): string {
  const base = mkdtempSync('/dev/shm/casemate-test-')
  after(() => rmSync(base, { recursive: true, force: true }))
  return base
}

export function filesBelow(base: string): readonly string[] {
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

/** Waits for a file, unless who should make it ends. */
export async function appears(path: string, maker: ChildProcess): Promise<void> {
  while (maker.exitCode === null && !existsSync(path)) await sleep(10)
}
