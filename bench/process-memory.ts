// The memory of another process, as Linux tells it.
import { existsSync, readFileSync } from 'node:fs'

/** In megabytes: resident now, or at the most in all its life. NaN if the system does not tell. */
export function megabytesOf(pid: number | undefined, which: 'resident' | 'peak'): number {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return Number.NaN
  const line = which === 'resident' ? /^VmRSS:\s+(\d+) kB$/m : /^VmHWM:\s+(\d+) kB$/m
  const [, kilobytes] = line.exec(readFileSync(path, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}
