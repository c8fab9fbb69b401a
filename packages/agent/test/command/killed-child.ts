// An agent that stops at a moment of a command's start, says which group it is, and waits to be killed.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { makeMemoryDirectory } from '../../src/command/memory-directory.ts'
import { Watchdog } from '../../src/command/watchdog.ts'
import { Workload } from '../../src/command/workload.ts'

const [moment = '', base = '', marker = ''] = process.argv.slice(2)

/** For as long as this process lives. */
function stay(group: number): Promise<never> {
  writeSync(1, `${moment} ${group}\n`)
  return new Promise(() => setInterval(() => undefined, 1_000))
}

const directory = makeMemoryDirectory(base, {})
const watchdog = await Watchdog.start({ graceMs: 0, directory: directory.path, onLost: () => undefined })
directory.write('KEY', new Uint8Array([1]))
const workload = await Workload.start({
  command: '/bin/sh',
  args: ['-c', `trap "" TERM HUP; echo ran > ${marker}; while :; do sleep 0.05; done`],
  env: { PATH: process.env['PATH'] ?? '' },
  graceMs: 0,
  guard: async group => {
    if (moment === 'before-guard') await stay(group)
    if (moment === 'told') {
      writeSync(1, `${moment} ${group}\n`)
      await once(process.stdin, 'data')
      void watchdog?.guard(group)
      await stay(group)
    }
    await watchdog?.guard(group)
    if (moment === 'guarded') await stay(group)
    return true
  },
})
await stay(workload?.group ?? 0)
