// What a command is started as: through a gate that only its guard opens, and with nothing of the gate left to see.
import assert from 'node:assert/strict'
import childProcess, { type SpawnOptions, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { delimiter, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Watchdog } from '../../src/command/watchdog.ts'
import { exitCodeOf, Workload, type WorkloadOptions } from '../../src/command/workload.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const place = temporaryDirectory(after)
const yes = async (): Promise<boolean> => true

function started(options: Partial<WorkloadOptions>): Promise<Workload | null> {
  const env = { PATH: process.env['PATH'] ?? '' }
  return Workload.start({ command: '/bin/sh', args: [], env, graceMs: 0, guard: yes, ...options })
}

/** What a shell script wrote to the file that it is given as $1. */
async function output(script: string, options: Partial<WorkloadOptions> = {}): Promise<string> {
  const file = join(place, `out-${Math.random()}`)
  const workload = await started({ args: ['-c', script, 'sh', file], ...options })
  assert.equal(await workload?.ended, 0)
  return readFileSync(file, 'latin1')
}

async function gone(group: number): Promise<void> {
  for (;;) {
    try {
      process.kill(-group, 0)
    } catch {
      return
    }
    await sleep(10)
  }
}

describe('a command', { skip: process.platform !== 'linux' && 'processes in /proc' }, () => {
  test('has the environment that it was given and no other, whatever its names are', async () => {
    const env = { PATH: '/usr/bin:/bin', 'a.name-of:others': 'a\nb ü', EMPTY: '' }
    const file = join(place, 'environment')
    const workload = await started({ command: 'cp', args: ['/proc/self/environ', file], env })
    assert.equal(await workload?.ended, 0)
    const found = readFileSync(file, 'utf8').split('\0').filter(Boolean).toSorted()
    assert.deepEqual(found, ['EMPTY=', 'PATH=/usr/bin:/bin', 'a.name-of:others=a\nb ü'])
  })

  test('does not begin as what a variable makes of Node', async t => {
    const before = process.env['NODE_OPTIONS']
    process.env['NODE_OPTIONS'] = '--no-such-flag'
    t.after(() => {
      if (before === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = before
    })
    assert.equal(await (await started({ args: ['-c', 'exit 3'] }))?.ended, 3)
  })

  test('ignores no signal, has none blocked, and no descriptor of its gate', async () => {
    const file = join(place, 'status')
    const workload = await started({ command: 'cp', args: ['/proc/self/status', file] })
    assert.equal(await workload?.ended, 0)
    assert.match(readFileSync(file, 'utf8'), /^SigBlk:\t0{16}\nSigIgn:\t0{16}$/m)
    const open = 'for n in 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$n ]; then echo $n; fi; done > "$1"'
    assert.equal(await output(open), '')
  })

  test('is found in PATH as execvp(3) does, and a text without #! is a shell’s', async () => {
    const [first, second] = [join(place, 'first'), join(place, 'second')]
    for (const directory of [first, second]) mkdirSync(directory)
    writeFileSync(join(first, 'tool'), 'not to be run')
    writeFileSync(join(second, 'tool'), 'echo "$0 $1" > "$2"\n')
    chmodSync(join(second, 'tool'), 0o755)
    mkdirSync(join(first, 'folder'))
    const PATH = ['/missing', first, second, process.env['PATH']].join(delimiter)
    const file = join(place, 'tool-ran')
    const workload = await started({ command: 'tool', args: ['one', file], env: { PATH } })
    assert.equal(await workload?.ended, 0)
    assert.equal(readFileSync(file, 'utf8'), `${join(second, 'tool')} one\n`)
    for (const [command, code] of [
      ['no-such-tool', 'command-missing'],
      ['', 'command-missing'],
      [join(place, 'missing'), 'command-missing'],
      ['folder', 'command-not-executable'],
      [first, 'command-not-executable'],
      [join(first, 'tool'), 'command-not-executable'],
    ] as const) {
      await assert.rejects(started({ command, env: { PATH } }), { code }, command)
    }
  })

  test('does not run where its guard says no or fails, and its gate ends', async () => {
    const marker = join(place, 'not-wanted')
    const args = ['-c', `echo > ${marker}`]
    const groups: number[] = []
    const no = async (group: number): Promise<boolean> => {
      groups.push(group)
      return false
    }
    assert.equal(await started({ args, guard: no }), null)
    const failing = async (group: number): Promise<boolean> => {
      groups.push(group)
      throw new RangeError('no guard')
    }
    await assert.rejects(started({ args, guard: failing }), RangeError)
    for (const group of groups) await gone(group)
    assert.equal(groups.length, 2)
    assert.ok(!existsSync(marker))
  })

  test('is not taken for ended where the process that was to become it did not run', async t => {
    const { spawn } = childProcess
    t.after(() => {
      childProcess.spawn = spawn
      syncBuiltinESMExports()
    })
    const otherwise: readonly (readonly string[])[] = [[join(place, 'no-gate.js')], ['--eval', '0']]
    for (const args of otherwise) {
      childProcess.spawn = ((_command: string, _args: readonly string[], options: SpawnOptions) =>
        spawn(process.execPath, args, {
          ...options,
          stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        })) as typeof spawn
      syncBuiltinESMExports()
      await assert.rejects(started({ args: ['-c', 'exit 0'] }), { code: 'gate-lost' })
    }
  })

  test('that a signal ended before it began has ended by it', async () => {
    const guard = async (group: number): Promise<boolean> => process.kill(group, 'SIGTERM')
    assert.equal(await (await started({ guard, args: ['-c', 'sleep 60'] }))?.ended, 143)
  })
})

test('an end of which nothing is told, or a signal without its name, is no success', () => {
  assert.deepEqual(
    [exitCodeOf(0, null), exitCodeOf(3, null), exitCodeOf(null, 'SIGTERM'), exitCodeOf(null, 'SIGKILL')],
    [0, 3, 143, 137],
  )
  for (const [code, signal] of [
    [null, null],
    [null, ''],
    [0, ''],
  ] as const) {
    assert.equal(exitCodeOf(code, signal), 128)
  }
})

describe('a watchdog', { skip: process.platform !== 'linux' && 'processes in /proc' }, () => {
  /** The process id of the watchdog that was told this directory. */
  function pidOf(directory: string): number {
    for (const name of readdirSync('/proc').filter(one => /^\d+$/.test(one))) {
      const line = spawnSync('cat', [`/proc/${name}/cmdline`]).stdout.toString()
      if (line.includes('casemate-watchdog') && line.includes(directory)) return Number(name)
    }
    throw new Error('there is none')
  }

  test('outlives the signals that a terminal or a service manager sends to all', async () => {
    const directory = join(place, 'signals')
    const watchdog = await Watchdog.start({ graceMs: 0, directory, onLost: assert.fail })
    const pid = pidOf(directory)
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const) {
      process.kill(pid, signal)
    }
    const workload = await started({ args: ['-c', 'exec sleep 60'] })
    await watchdog?.guard(workload?.group ?? 0)
    watchdog?.release()
    await workload?.stop()
    await gone(pid)
  })

  test('that was killed guards nothing any more, and that is said', async () => {
    const directory = join(place, 'killed')
    const lost = Promise.withResolvers<undefined>()
    const watchdog = await Watchdog.start({ graceMs: 0, directory, onLost: () => lost.resolve(undefined) })
    process.kill(pidOf(directory), 'SIGKILL')
    await assert.rejects(watchdog?.guard(1) ?? Promise.resolve(), { code: 'guard-lost' })
    await lost.promise
    await assert.rejects(watchdog?.guard(1) ?? Promise.resolve(), { code: 'guard-lost' })
  })
})
