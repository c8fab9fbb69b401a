// Starting the command, from its source and as it is installed: whole processes with compiled code kept, against a bare start
// of Node in the same round.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createIntelPlatform } from '@casemate/simulator'
import { cachedCommand } from '../scripts/build/cached-command.ts'
import { spread } from './measure.ts'
import { printBudget } from './report.ts'

const ROOT = resolve(import.meta.dirname, '..')
const ROUNDS = 21
/** Of what is installed; from source it only orients. */
const BUDGETS = { version: 3, verify: 6 } as const

/** Prints the table of this topic. */
export async function benchCommand(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  try {
    const verify = await verifyIn(directory)
    const source = join(ROOT, 'packages/cli/bin/casemate.js')
    const bundle = await cachedCommand(ROOT)
    const starts = {
      bare: ['-e', ''],
      bundledVersion: [bundle, '--version'],
      bundledVerify: [bundle, ...verify],
      version: [source, '--version'],
      verify: [source, ...verify],
    }
    const took = await measureStarts(starts, join(directory, 'cache'))
    const against = (name: keyof typeof starts) =>
      spread(took[name].map((ms, round) => ms / (took.bare[round] ?? Number.NaN)))
    console.log('\nStart of the command')
    printBudget({ text: 'bare start of Node, ms', spread: spread(took.bare), limit: 'none' })
    const installed = { text: 'installed, --version, against bare Node', spread: against('bundledVersion') }
    printBudget({ ...installed, limit: { atMost: BUDGETS.version } })
    const verified = {
      text: 'installed, verify of a TDX quote, against bare Node',
      spread: against('bundledVerify'),
    }
    printBudget({ ...verified, limit: { atMost: BUDGETS.verify } })
    printBudget({
      text: 'from source, --version, against bare Node',
      spread: against('version'),
      limit: 'none',
    })
    printBudget({
      text: 'from source, verify of a TDX quote, against bare Node',
      spread: against('verify'),
      limit: 'none',
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Milliseconds of each start, round by round; what is compiled is kept from a round before that is not counted. */
async function measureStarts<Name extends string>(
  starts: Readonly<Record<Name, readonly string[]>>,
  cache: string,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(starts) as Name[]
  const took = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of names) {
      const ms = await start(starts[name], cache)
      if (round >= 0) took[name].push(ms)
    }
  }
  return took
}

async function start(args: readonly string[], cache: string): Promise<number> {
  const startedAt = performance.now()
  const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: cache }
  const [code] = await once(spawn(process.execPath, args, { env, stdio: 'ignore' }), 'close')
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return performance.now() - startedAt
}

/** A quote with its collateral, as files, and the arguments by which it is accepted. */
async function verifyIn(directory: string): Promise<string[]> {
  const platform = await createIntelPlatform({ now: new Date() })
  const file = (name: string) => join(directory, name)
  writeFileSync(file('quote.bin'), platform.tdxQuote({ reportData: new Uint8Array(64) }))
  writeFileSync(file('trust.json'), JSON.stringify({ ...platform.publicTrust(), endorsements: [] }))
  writeFileSync(
    file('policy.json'),
    JSON.stringify({ extends: 'standard', simulated: 'any', workloads: 'any' }),
  )
  mkdirSync(file('collateral'))
  for (const { name, bytes } of platform.endorsements)
    writeFileSync(join(directory, 'collateral', name), bytes)
  const flags = { endorsements: file('collateral'), trust: file('trust.json'), policy: file('policy.json') }
  return [
    'verify',
    file('quote.bin'),
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
  ]
}
