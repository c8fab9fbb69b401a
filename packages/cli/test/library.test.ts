// docs/library.md, done as it says: its programs run outside the checkout, on what a tour left.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serving, temporaryDirectory } from './run.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const PAGE = readFileSync(join(ROOT, 'docs/library.md'), 'utf8')

test('the programs of the page about the packages run outside the checkout', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const broker = await serving(['--tour'], /Ctrl-C stops the broker/, { cwd })
  writePrograms(cwd)
  const node = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, args, { cwd })).stdout
  const [proved, asked, refused] = await Promise.all([
    node('prove.ts', '.casemate/tour/quote.bin', '.casemate/simulator/public-trust.json'),
    node('ask.ts', broker.url, '.casemate/simulator', 'default/demo/greeting'),
    node('refused.ts', broker.url, '.casemate/admin-token'),
  ])
  assert.equal(proved, 'true warning demo []\n')
  assert.match(asked, /^Good morning/)
  assert.equal(refused, "appraisal-refused [ 'workloads' ]\nrule-invalid did you mean: claims.kind\n")
  assert.equal((await broker.stop('SIGTERM')).code, 0)
})

test('with the settings that the page gives, the compiler finds nothing wrong in them', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const [, settings = ''] = /\n## Types\n[^]*?```json\n([^]*?)```/.exec(PAGE) ?? []
  writeFileSync(join(cwd, 'tsconfig.json'), settings.replaceAll('CHECKOUT', ROOT))
  writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }')
  writePrograms(cwd)
  const compiler = join(ROOT, 'node_modules/.bin/tsc')
  const told = await promisify(execFile)(compiler, ['--pretty', 'false'], { cwd }).catch(error => error)
  assert.deepEqual([told.code ?? 0, told.stdout], [0, ''])
})

function writePrograms(cwd: string): void {
  const programs = [...PAGE.matchAll(/```ts\n(\/\/ (\w+\.ts):[^]*?)```/g)]
  for (const [, text = '', name = ''] of programs)
    writeFileSync(join(cwd, name), text.replaceAll('CHECKOUT', ROOT))
}
