// Compilation apart: what it takes is limited, whatever becomes of it is a refusal, and the same code is tried once.
import assert from 'node:assert/strict'
import childProcess, { execFile } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { TRIAL_LIMITS, tryCompiling } from '../../src/running/trial.ts'
import { rejectsCode } from '../expect-code.ts'
import { GOOD, repeat, withBody } from '../image/hostile.ts'

/** The good module with a data section that makes it another one. */
const other = (number: number): Uint8Array => Uint8Array.from([...GOOD, 0, 2, 1, number])
const isLinux = process.platform === 'linux'

/** Many loops, with many locals at the head of each: more than are read. */
const SLOW = withBody([1, 200, 1, 0x7f], repeat([0x03, 0x40, 0x20, 0, 0x0d, 0, 0x0b], 50_000))

test('good code is accepted, and then again without a process', async () => {
  await tryCompiling(other(1))
  await tryCompiling(other(1), { ...TRIAL_LIMITS, wallMs: 1 })
})

test('code that the engine refuses is refused with what it says', () =>
  assert.rejects(tryCompiling(withBody([0], [0x1a])), {
    code: 'invalid-code',
    message: /not enough arguments/,
  }))

test('code that takes longer by the clock than it may is refused', () =>
  rejectsCode('limit-exceeded', tryCompiling(SLOW, { ...TRIAL_LIMITS, wallMs: 10 })))

test('code that takes more memory than it may is refused', { skip: !isLinux }, () =>
  rejectsCode('limit-exceeded', tryCompiling(SLOW, { ...TRIAL_LIMITS, memoryMb: 700 })),
)

test('code that takes more of the processor than it may is refused', { skip: !isLinux }, () =>
  rejectsCode('limit-exceeded', tryCompiling(SLOW, { ...TRIAL_LIMITS, cpuSeconds: 0 })),
)

type Start = typeof childProcess.spawn

/** Runs what starts processes: how many there were, and how many at once. Each may be started otherwise. */
async function processesOf(
  run: () => Promise<unknown>,
  start: (spawn: Start, ...given: Parameters<Start>) => ReturnType<Start> = (spawn, ...given) =>
    spawn(...given),
): Promise<{ started: number; atOnce: number }> {
  const { spawn } = childProcess
  let [started, running, atOnce] = [0, 0, 0]
  const counted = (...given: Parameters<typeof spawn>): ReturnType<typeof spawn> => {
    started++
    atOnce = Math.max(atOnce, ++running)
    return start(spawn, ...given).once('close', () => running--)
  }
  childProcess.spawn = counted as typeof spawn
  syncBuiltinESMExports()
  try {
    await run()
  } finally {
    childProcess.spawn = spawn
    syncBuiltinESMExports()
  }
  return { started, atOnce }
}

test('a trial that a signal without a name has ended has accepted nothing', { skip: !isLinux }, async () => {
  const code = other(7)
  const refused = () => rejectsCode('limit-exceeded', tryCompiling(code))
  await processesOf(refused, (spawn, ...given) => {
    const child = spawn(...given)
    // A real-time one: Node tells of it as of exit code 0.
    process.kill(child.pid ?? 0, 36)
    return child
  })
  await tryCompiling(code)
})

test('a trial whose program is not there has refused nothing', async () => {
  const code = other(8)
  const tried = () => rejectsCode('trial-unavailable', tryCompiling(code))
  await processesOf(tried, (spawn, _command, _args, options) =>
    spawn(process.execPath, [join(tmpdir(), 'no-such-program.mjs')], options),
  )
  await tryCompiling(code)
})

test('codes that come together are tried one after the other, also behind one that is refused', async () => {
  const short = { ...TRIAL_LIMITS, wallMs: 1 }
  const found = await processesOf(() =>
    Promise.all([
      tryCompiling(other(3)),
      rejectsCode('limit-exceeded', tryCompiling(other(4), short)),
      tryCompiling(other(5)),
    ]),
  )
  assert.deepEqual(found, { started: 6, atOnce: 2 })
})

test('the same code is tried once for all who ask at once', async () => {
  const found = await processesOf(() => Promise.all([1, 2, 3].map(() => tryCompiling(other(6)))))
  assert.deepEqual(found, { started: 2, atOnce: 2 })
})

test('what was refused is tried again', async () => {
  await rejectsCode('limit-exceeded', tryCompiling(other(2), { ...TRIAL_LIMITS, wallMs: 1 }))
  await tryCompiling(other(2))
})

/** The words of a process that tries code, after `before`; an error that nobody catches ends it. */
async function outcomeOf(before: string, command: readonly [string, ...string[]]): Promise<string> {
  const module = new URL('../../src/running/trial.ts', import.meta.url)
  const program = `
    import { openSync } from 'node:fs'
    const { tryCompiling } = await import(${JSON.stringify(module)})
    ${before}
    await tryCompiling(Uint8Array.of(0)).catch(error => console.log(error.code))`
  const [file, ...args] = [...command, '--input-type=module', '--eval', program]
  return (await promisify(execFile)(file, args)).stdout
}

test('a platform that may start no process, or has no file left to open, refuses and lives', {
  skip: !isLinux,
}, async () => {
  const node = process.execPath
  const exhaust = 'try { for (;;) openSync("/dev/null") } catch {}'
  const outcomes = await Promise.all([
    outcomeOf('', [node, '--permission', '--allow-fs-read=*']),
    outcomeOf(exhaust, ['sh', '-c', 'ulimit -n 64 && exec "$0" "$@"', node]),
  ])
  assert.deepEqual(outcomes, ['trial-unavailable\n', 'trial-unavailable\n'])
})
