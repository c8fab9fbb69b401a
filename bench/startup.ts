// Starting a broker: from the command to its ready line, and the memory that it then has, against a bare start of Node.
// Compiled code is kept between starts, so that the first start on a machine is measured apart.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedCommand } from '../scripts/build/cached-command.ts'
import { type Spread, spread } from './measure.ts'
import { megabytes } from './process-tree.ts'
import { printBudget } from './report.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = join(ROOT, 'packages/cli/bin/casemate.js')
const ROUNDS = 7
const BUDGET_MS = 1_000
/** Of one process. */
const BUDGET_MB = 150

/** One start: milliseconds to the ready line, and megabytes of resident memory, NaN where there is no /proc. */
interface Started {
  readonly ms: number
  readonly rssMb: number
}

/** Prints the tables of this topic. */
export async function benchStartup(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  const warm = join(directory, 'cache')
  const existing = join(directory, 'existing')
  const bare: number[] = []
  const starts = { first: [], fresh: [], again: [], processes: [], installed: [] } as Record<Case, Started[]>
  const bundle = await cachedCommand(ROOT)
  try {
    await startBroker(existing, warm)
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await startNode())
      starts.first.push(
        await startBroker(join(directory, `first-${round}`), join(directory, `cache-${round}`)),
      )
      starts.fresh.push(await startBroker(join(directory, `fresh-${round}`), warm))
      starts.again.push(await startBroker(existing, warm))
      starts.processes.push(await startBroker(existing, warm, SOURCE, ['--server-processes', '2']))
      const place = (name: string) => join(directory, `installed-${name}-${round}`)
      starts.installed.push(await startBroker(place('data'), place('cache'), bundle))
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
  console.log('\nStart of a broker')
  printBudget({ text: 'bare start of Node, ms', spread: spread(bare), limit: 'none' })
  for (const name of CASES) printStarts(name, starts[name], bare)
}

type Case = keyof typeof TEXTS

const TEXTS = {
  first: 'first start on a machine',
  fresh: 'fresh data directory',
  again: 'existing data directory',
  processes: 'existing data directory, two processes that serve',
  installed: 'first start on a machine, as it is installed',
} as const
const CASES = Object.keys(TEXTS) as readonly Case[]

function printStarts(name: Case, starts: readonly Started[], bare: readonly number[]): void {
  const [text, ms] = [TEXTS[name], starts.map(start => start.ms)]
  printBudget({ text: `${text}, ms to ready`, spread: spread(ms), limit: { atMost: BUDGET_MS } })
  printBudget({ text: `${text}, against bare Node`, spread: ratios(ms, bare), limit: 'none' })
  if (!existsSync('/proc/self/status')) return
  const rss = spread(starts.map(start => start.rssMb))
  const limit = name === 'processes' ? 'none' : { atMost: BUDGET_MB }
  printBudget({ text: `${text}, MB resident`, spread: rss, limit })
}

function ratios(of: readonly number[], to: readonly number[]): Spread {
  return spread(of.map((value, round) => value / (to[round] ?? Number.NaN)))
}

async function startNode(): Promise<number> {
  const startedAt = performance.now()
  await once(spawn(process.execPath, ['-e', ''], { stdio: 'ignore' }), 'close')
  return performance.now() - startedAt
}

async function startBroker(
  dataDir: string,
  cache: string,
  bin = SOURCE,
  others: readonly string[] = [],
): Promise<Started> {
  const flags = ['--data-dir', dataDir, '--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0']
  const startedAt = performance.now()
  const child = spawn(process.execPath, [bin, 'up', '--json', '--log-level', 'error', ...flags, ...others], {
    env: { PATH: process.env['PATH'], XDG_CACHE_HOME: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  await ready(child)
  const started = { ms: performance.now() - startedAt, rssMb: residentOf(child) }
  child.kill('SIGTERM')
  await closed
  return started
}

function residentOf({ pid }: ChildProcess): number {
  if (pid === undefined || !existsSync('/proc/self/status')) return Number.NaN
  return megabytes(pid)
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', chunk => {
      text += String(chunk)
      if (text.includes('"url":')) resolve()
    })
    child.on('close', code =>
      reject(new Error(`the broker ended with ${code} before it was ready:\n${text}`)),
    )
  })
}
