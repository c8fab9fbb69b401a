// Which core a process runs on: the broker has one for itself, so that what else runs takes none of its time.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Binds all threads of a process to one core; false if this machine cannot (util-linux does it). */
export function pin(pid: number | undefined, core: number): boolean {
  if (pid === undefined || availableParallelism() <= core) return false
  return spawnSync('taskset', ['-acp', String(core), String(pid)]).status === 0
}
