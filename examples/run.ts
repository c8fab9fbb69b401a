// npm run example -- NAME: runs one of the examples of this folder, from nothing to a verified answer.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ExampleModule } from './stage/example.ts'

const NOT_FOUND = 2
const INTERRUPTED = 130

function exampleNames(): string[] {
  return readdirSync(import.meta.dirname).filter(
    name => name !== 'stage' && existsSync(join(import.meta.dirname, name, 'run.ts')),
  )
}

async function loadExample(name: string): Promise<ExampleModule> {
  return (await import(`./${name}/run.ts`)) as ExampleModule
}

async function runExample(name: string, args: readonly string[]): Promise<number> {
  const controller = new AbortController()
  // The first one lets everything close; a second one ends this process, and with it the others.
  const stop = (): void => (controller.signal.aborted ? process.exit(INTERRUPTED) : controller.abort())
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  // Whoever reads this is gone: `… | head`.
  process.stdout.on('error', () => controller.abort())
  try {
    const { run, SUMMARY, USAGE } = await loadExample(name)
    if (args.includes('--help')) {
      process.stdout.write(`${name}: ${SUMMARY}\n${USAGE}\n`)
      return 0
    }
    await run({
      args,
      signal: controller.signal,
      print: (line = '') => void process.stdout.write(`${visible(line)}\n`),
    })
    return 0
  } catch (error) {
    if (controller.signal.aborted) return INTERRUPTED
    const failure = failureOf(error)
    if (failure === null) throw error
    process.stderr.write(`${visible(`example: ${failure.code}: ${failure.message}`)}\n`)
    if (failure.hint !== null) process.stderr.write(`${visible(`hint: ${failure.hint}`)}\n`)
    return 1
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Names and texts come from files of others: what a terminal would obey is shown instead. */
function visible(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, char => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/** Null for a fault of the example itself, whose place is to be seen. */
function failureOf(error: unknown): Failure | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  // ERR_ is what Node says of its own use.
  if (error.code.startsWith('ERR_')) return null
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : null
  return { code: error.code, message: error.message, hint }
}

async function listExamples(out: NodeJS.WritableStream): Promise<void> {
  out.write('npm run example -- NAME, with one of\n')
  for (const name of exampleNames()) {
    const { SUMMARY } = await loadExample(name)
    out.write(`  ${name.padEnd(12)} ${SUMMARY}\n`)
  }
}

const [name, ...args] = process.argv.slice(2)
if (name === undefined || name === '--help') {
  await listExamples(process.stdout)
} else if (exampleNames().includes(name)) {
  process.exitCode = await runExample(name, args)
} else {
  process.stderr.write(`${visible(`example: unknown-example: there is no example ${name}`)}\n`)
  await listExamples(process.stderr)
  process.exitCode = NOT_FOUND
}
