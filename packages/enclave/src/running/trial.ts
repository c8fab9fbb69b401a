// Code is compiled elsewhere before the platform compiles it: what an engine takes to compile a module can be limited for
// a process only, and running out of memory ends one. Each code is tried once; who tried it remembers it by its hash.
// Trials take turns, since what one may take is a good part of a machine.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { EnclaveError } from '../errors.ts'
import { type OwnProgram, processCode } from './own-code.ts'

export interface TrialLimits {
  /** Memory that the process may write to, in MiB; only if there is `ulimit -d`, on Linux. */
  readonly memoryMb: number
  /** Of processors, in seconds; on Linux. */
  readonly cpuSeconds: number
  /** By the clock. */
  readonly wallMs: number
}

/** The engine reserves some 600 MiB for itself before it does anything; large programs take a tenth of the rest. */
export const TRIAL_LIMITS: TrialLimits = { memoryMb: 1536, cpuSeconds: 60, wallMs: 120_000 }

const SCRIPT = new URL('./trial-process.mjs', import.meta.url)
/**
 * The baseline compiler runs first in the platform, the optimising one later: each has faults of its own. All that follows from
 * the second is said, as it does not follow where a flag is set while V8 runs (own-code.ts).
 */
const COMPILERS: readonly (readonly string[])[] = [
  ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'],
  [
    '--no-liftoff',
    '--no-wasm-tier-up',
    '--no-wasm-dynamic-tiering',
    '--no-wasm-inlining',
    '--no-wasm-inlining-call-indirect',
    '--no-wasm-deopt',
  ],
]
const FLAGS = ['--no-wasm-lazy-compilation', '--no-warnings']
/** In KiB and seconds; no core file of what fails. */
const LIMITED = 'ulimit -c 0 && ulimit -d "$1" && ulimit -t "$2" && shift 2 && exec "$@"'
const MAX_MESSAGE = 500
/** Exit codes of the process, with what it says then. */
const COMPILED = '0 compiled'
const REFUSED = '1 refused'
/** Node's own, as where there is no such program. */
const NOT_RUN = '1 '
const MAX_REMEMBERED = 1024
const accepted = new Set<string>()
/** Of codes that are being tried, or wait for it. */
const underWay = new Map<string, Promise<void>>()
let last: Promise<unknown> = Promise.resolve()

/** @throws {EnclaveError} invalid-code, limit-exceeded, trial-unavailable */
export async function tryCompiling(code: Uint8Array, limits: TrialLimits = TRIAL_LIMITS): Promise<void> {
  const hash = createHash('sha256').update(code).digest('hex')
  if (accepted.has(hash)) return
  const same = underWay.get(hash)
  if (same !== undefined) return same
  const trial = last.then(() => tryNow(code, hash, limits)).finally(() => underWay.delete(hash))
  underWay.set(hash, trial)
  // The next one has its turn however this one ends.
  last = trial.catch(() => undefined)
  return trial
}

async function tryNow(code: Uint8Array, hash: string, limits: TrialLimits): Promise<void> {
  const outcomes = await Promise.all(COMPILERS.map(compiler => compileApart(code, compiler, limits)))
  for (const { exitCode, signal, word, message } of outcomes) {
    const end = `${exitCode} ${word}`
    if (end === COMPILED) continue
    if (end === REFUSED) {
      throw new EnclaveError('invalid-code', `the engine does not accept the code: ${message}`)
    }
    if (end === NOT_RUN) throw unavailable(new Error(message))
    throw tooMuch(signal ?? `exit code ${exitCode}, and no word of it`, limits)
  }
  const [oldest] = accepted
  if (accepted.size === MAX_REMEMBERED && oldest !== undefined) accepted.delete(oldest)
  accepted.add(hash)
}

interface Outcome {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly word: string
  readonly message: string
}

function compileApart(
  code: Uint8Array,
  compiler: readonly string[],
  { memoryMb, cpuSeconds, wallMs }: TrialLimits,
): Promise<Outcome> {
  const { line, env } = processCode([...compiler, ...FLAGS], SCRIPT)
  const limits = [String(memoryMb * 1024), String(cpuSeconds)]
  const [command, ...args] =
    process.platform === 'linux' ? ['/bin/sh', '-c', LIMITED, 'casemate-trial', ...limits, ...line] : line
  return new Promise((resolve, reject) => {
    const child = start({ command, args, env }, wallMs)
    child.once('error', cause => reject(unavailable(cause)))
    // The error follows; where no file can be opened there are no pipes either.
    if (child.pid === undefined) return
    let [word, message] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      word = (word + text).slice(0, MAX_MESSAGE)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      message = (message + text).slice(0, MAX_MESSAGE)
    })
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, word, message }))
    // That it ends before it has read everything shows in how it ends.
    child.stdin.on('error', () => undefined)
    child.stdin.end(code)
  })
}

/** Some failures are thrown, such as that of a process that may start no other. @throws {EnclaveError} trial-unavailable */
function start(
  {
    command,
    args,
    env,
  }: { readonly command: string; readonly args: readonly string[]; readonly env: OwnProgram['env'] },
  wallMs: number,
): ChildProcessByStdio<Writable, Readable, Readable> {
  try {
    // Nothing ambient: it needs no files, and of an environment no more than an executable's flags.
    return spawn(command, args, {
      env,
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: wallMs,
      killSignal: 'SIGKILL',
    })
  } catch (cause) {
    throw unavailable(cause)
  }
}

function tooMuch(got: string, { memoryMb, cpuSeconds, wallMs }: TrialLimits): EnclaveError {
  const expected = `at most ${memoryMb} MiB, ${cpuSeconds} s of processor time and ${wallMs / 1000} s`
  return new EnclaveError('limit-exceeded', `the code takes too much to compile: a trial ended with ${got}`, {
    expected,
    got,
    hint: 'split large functions, use fewer locals and branches, keep data in data segments',
  })
}

function unavailable(cause: unknown): EnclaveError {
  return new EnclaveError('trial-unavailable', 'the process that tries code first cannot be started', {
    cause,
    hint: 'code is compiled in a process of its own first: let this one start Node.js again, and open files',
  })
}
