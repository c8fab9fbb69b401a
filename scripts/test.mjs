// npm test: types, lint, format, then every test; stops at the first stage that fails.
// --long runs the crash and property tests in their longer form. node:test's closing lines come last.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { cachedCommand } from './build/cached-command.ts'
import { writeGroups } from './test-groups.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const long = process.argv.includes('--long')
const env = {
  ...process.env,
  // The linter's reading of types is a Go program; collected less often, it takes a sixth less processor time.
  GOGC: process.env['GOGC'] ?? '400',
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
  ...(long ? { CASEMATE_LONG_TESTS: '1' } : {}),
}

/** Runs one stage to its end; a failure ends everything. */
function run(/** @type {string} */ name, /** @type {string} */ command, /** @type {string[]} */ ...args) {
  const startedAt = Date.now()
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\n${name}: failed`)
    process.exit(status ?? 1)
  }
  return ((Date.now() - startedAt) / 1000).toFixed(1)
}

function check(/** @type {string} */ name, /** @type {string} */ tool, /** @type {string[]} */ ...args) {
  console.log(`${name}: ok (${run(name, join(root, 'node_modules', '.bin', tool), ...args)} s)`)
}

// The rules that need types and the compiler's own check share one reading of the program.
check('types and lint', 'oxlint', '--type-aware', '--type-check', '--deny-warnings')
check('types of the portable packages', 'tsc', '-p', 'tsconfig.portable.json')
check('format', 'biome', 'check', '--enforce-assist=true', '.')

const tests = globSync(
  ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
  { cwd: root },
)
const builtAt = Date.now()
env['BUILT_COMMAND'] = await cachedCommand(root)
console.log(`command: built (${((Date.now() - builtAt) / 1000).toFixed(1)} s)`)
// Most files wait for processes of their own, so that three at a time are done in little more than half the time.
// What hangs fails after ten minutes, by name; half an hour in the long form.
const timeout = `--test-timeout=${long ? 1_800_000 : 600_000}`
const first = pathToFileURL(join(root, 'scripts', 'built-threads.mjs')).href
const flags = ['--import', first, '--test-concurrency=3', timeout, '--test-reporter=spec']
// In the long form each file has that time for itself; loading it again is the least of it there.
run('tests', process.execPath, '--test', ...flags, ...(long ? tests : writeGroups(tests, root)))
