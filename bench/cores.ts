// Which cores a process runs on: the broker has one for itself, so that what else runs takes none of its time.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** How many there were before this process was bound to fewer. */
const CORES = availableParallelism()

/** Binds all threads of a process to some cores; false if this machine cannot (util-linux does it). */
export function pin(pid: number | undefined, ...cores: readonly number[]): boolean {
  if (pid === undefined || cores.some(core => core >= CORES)) return false
  return spawnSync('taskset', ['-acp', cores.join(','), String(pid)]).status === 0
}
