// A process with those that it has started, as Linux tells: what all of them together take of the processor and of memory.
import { readFileSync } from 'node:fs'
import { megabytesOf } from './process-memory.ts'

/** USER_HZ is 100 on every Linux that Node runs on: proc_pid_stat(5) counts in hundredths of a second. */
const MICROS_OF_A_TICK = 10_000
/** Fields of /proc/PID/stat after the name of the program, which may have spaces in it. */
const [UTIME, STIME] = [11, 12]

/** Ids of the process and of all that it has started and that still run. */
export function treeOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return [pid, ...children.flatMap(child => treeOf(Number(child)))]
}

/** Processor time so far, in microseconds, to a hundredth of a second for each process. */
export function micros(pid: number): number {
  return treeOf(pid).reduce((all, one) => all + ticksOf(one), 0) * MICROS_OF_A_TICK
}

/** Resident in all of them, in megabytes: what they share is counted in each. */
export function megabytes(pid: number): number {
  return treeOf(pid).reduce((all, one) => all + megabytesOf(one, 'resident'), 0)
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[UTIME]) + Number(fields[STIME])
}
