// npm test: types, lint, format, then every test; stops at the first stage that fails.
// --long runs the crash and property tests in their longer form. node:test's closing lines come last.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = name => join(root, 'node_modules', '.bin', name)
const long = process.argv.includes('--long')

const tests = globSync(['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root })
const stages = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['types of the portable packages', bin('tsc'), ['-p', 'tsconfig.portable.json']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  ['format', bin('biome'), ['check', '--enforce-assist=true', '.']],
  ['tests', process.execPath, ['--test', '--test-reporter=spec', ...tests]],
]

const env = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), 'casemate-compile-cache'),
  ...(long ? { CASEMATE_LONG_TESTS: '1' } : {}),
}

for (const [name, command, args] of stages) {
  const startedAt = Date.now()
  const result = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (result.status !== 0) {
    console.error(`\n${name}: failed`)
    process.exit(result.status ?? 1)
  }
  if (name !== 'tests') console.log(`${name}: ok (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`)
}
