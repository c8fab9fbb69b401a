// A process of its own for each party. What it is told goes over a pipe to it alone, never to a disk, its arguments or
// its environment. It ends when the pipe does, so that none outlives the stage, however the stage ends.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { SERVER_NODE_FLAGS } from '@casemate/enclave/server-flags'

/** No signal opens a debugger. */
const NODE_FLAGS = [...SERVER_NODE_FLAGS, '--disable-sigusr1']

/** How long a process may take to close what it has open. */
const STOP_MS = 5000

/** The first message of a party: that it is there, or why it is not. */
export type FirstWord<Ready> =
  | { readonly type: 'ready'; readonly ready: Ready }
  | {
      readonly type: 'failed'
      readonly code: string
      readonly message: string
      readonly hint: string | null
    }

export interface Party<Ready> {
  readonly ready: Ready
  readonly pid: number
  /** Resolves when the process has ended, whoever ended it. */
  readonly ended: Promise<void>
  readonly stop: () => Promise<void>
}

/** A party that did not come to be: the code and the words are its own. */
export class PartyFailed extends Error {
  override readonly name = 'PartyFailed'
  readonly code: string
  readonly hint: string | null

  constructor(code: string, message: string, hint: string | null) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/** Starts a program of this folder. @throws {PartyFailed} with the code that the program failed with */
export async function startParty<Ready>(program: URL, start: object): Promise<Party<Ready>> {
  const child = fork(program, { serialization: 'advanced', execArgv: [...process.execArgv, ...NODE_FLAGS] })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const first = new Promise<FirstWord<Ready> | null>((resolve, reject) => {
    child.once('message', message => resolve(message as FirstWord<Ready>))
    child.once('error', reject)
    void ended.then(() => resolve(null))
  })
  child.send(start)
  const word = await first
  if (word?.type === 'ready' && child.pid !== undefined) {
    return { ready: word.ready, pid: child.pid, ended, stop: () => stop(child, ended) }
  }
  await stop(child, ended)
  if (word?.type === 'failed') throw new PartyFailed(word.code, word.message, word.hint)
  throw new PartyFailed('party-lost', `${program.pathname} ended before it was ready`, null)
}

/** A party for as long as it is used, which is ended however that ends. @throws {PartyFailed} as `startParty` */
export async function withParty<Ready, Result>(
  program: URL,
  start: object,
  use: (party: Party<Ready>) => Promise<Result>,
): Promise<Result> {
  const party = await startParty<Ready>(program, start)
  try {
    return await use(party)
  } finally {
    await party.stop()
  }
}

/** A program opened this for its parent. */
export interface Opened<Ready> {
  readonly ready: Ready
  readonly close: () => Promise<void>
}

/** In the child: takes the start, opens, says so, and closes when the parent is gone. */
export async function serveParent(open: (start: never) => Promise<Opened<object>>): Promise<void> {
  keepMemoryOutOfCores()
  // Ctrl-C reaches every process of the terminal; the parent is the one that acts on it.
  process.on('SIGINT', () => undefined)
  const gone = once(process, 'disconnect')
  const [start] = (await once(process, 'message')) as [never]
  const tell = (word: FirstWord<object>): void => {
    if (process.connected) process.send?.(word)
  }
  try {
    const { ready, close } = await open(start)
    tell({ type: 'ready', ready })
    await gone
    await close()
  } catch (error) {
    tell({ type: 'failed', ...reasonOf(error) })
    await gone
  }
}

/** Where this process crashes, what the kernel writes of it holds nothing of its memory, and so no keys: core(5). */
function keepMemoryOutOfCores(): void {
  const filter = '/proc/self/coredump_filter'
  if (existsSync(filter)) writeFileSync(filter, '0')
}

function reasonOf(error: unknown): { code: string; message: string; hint: string | null } {
  if (!(error instanceof Error)) return { code: 'unexpected', message: String(error), hint: null }
  const { code, hint } = error as { code?: unknown; hint?: unknown }
  return {
    code: typeof code === 'string' ? code : 'unexpected',
    message: error.message,
    hint: typeof hint === 'string' ? hint : null,
  }
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}
