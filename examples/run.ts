// npm run example -- NAME: runs one of the examples of this folder, from nothing to a verified answer.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PartyFailed } from './stage/child.ts'
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
    const { run } = await loadExample(name)
    await run({
      args,
      signal: controller.signal,
      print: (line = '') => void process.stdout.write(`${line}\n`),
    })
    return 0
  } catch (error) {
    if (controller.signal.aborted) return INTERRUPTED
    if (!(error instanceof PartyFailed)) throw error
    process.stderr.write(`example: ${error.code}: ${error.message}\n`)
    if (error.hint !== null) process.stderr.write(`hint: ${error.hint}\n`)
    return 1
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

async function listExamples(): Promise<void> {
  process.stderr.write('npm run example -- NAME, with one of\n')
  for (const name of exampleNames()) {
    const { SUMMARY } = await loadExample(name)
    process.stderr.write(`  ${name.padEnd(12)} ${SUMMARY}\n`)
  }
}

const [name = '', ...args] = process.argv.slice(2)
if (exampleNames().includes(name)) {
  process.exitCode = await runExample(name, args)
} else {
  await listExamples()
  process.exitCode = NOT_FOUND
}
