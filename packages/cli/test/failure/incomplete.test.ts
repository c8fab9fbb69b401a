// An installation of which files are missing says so in one line, whatever is missing of it, and in whatever form it is.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { failureOf } from '../../src/failure/failure-of.ts'
import { BIN, SOURCE } from '../bin.ts'
import { type Ran, runNode, temporaryDirectory } from '../run.ts'

const { hint = '' } = failureOf(Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' }))

/** The command as far as these files of it go, in a place of its own. */
function entryIn(directory: string, files: Readonly<Record<string, string>>, source = SOURCE): string {
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  const entry = join(directory, 'bin', 'casemate.js')
  cpSync(source, entry)
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return entry
}

const FIRST_FILES = {
  'bin/as-server.js': "export const becomeServer = () => import('gone')",
  'bin/code-cache.js': 'export const keepCompiledCode = () => undefined',
}
const LOADS = 'export const becomeServer = () => undefined'
const GONE = {
  'node_modules/gone/index.js': '',
  'node_modules/gone/package.json': '{"exports":{"./x":"./x.js"}}',
}

function saysIncomplete({ code, stdout, stderr }: Ran, what: RegExp): void {
  const [line = '', ...rest] = stderr.split('\n')
  assert.match(line, /^casemate: installation-incomplete: /)
  assert.match(line, what)
  assert.deepEqual([code, stdout, ...rest], [3, '', `hint: ${hint}`, ''])
}

for (const [what, files, said] of [
  ['its own first file', {}, /Cannot find module .*as-server\.js/],
  ['the program', { ...FIRST_FILES, 'bin/as-server.js': LOADS }, /Cannot find module .*main\.ts/],
  ['a package', FIRST_FILES, /Cannot find package 'gone'/],
  ['a newer package', { ...FIRST_FILES, ...GONE }, /No "exports" main defined/],
  [
    'what a package requires',
    {
      ...FIRST_FILES,
      'node_modules/gone/package.json': '{"main":"index.cjs"}',
      'node_modules/gone/index.cjs': "require('./part.cjs')",
    },
    /Cannot find module '\.\/part\.cjs'/,
  ],
  ['the end of a file', { ...FIRST_FILES, 'bin/as-server.js': `${LOADS}; {` }, /Unexpected end of input/],
] as const) {
  test(`an installation that lacks ${what} says so`, async t => {
    const directory = temporaryDirectory(clean => t.after(clean))
    saysIncomplete(await runNode([entryIn(directory, files), 'version']), said)
  })
}

test('the command as it is built says so too, and in JSON where that is asked for', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const entry = entryIn(directory, {}, BIN)
  saysIncomplete(await runNode([entry, 'version', '--', '--json']), /Cannot find module/)
  const { code, stdout, stderr } = await runNode([entry, 'version', '--json'])
  const { error } = JSON.parse(stdout)
  assert.deepEqual([code, stderr, error.code, error.exitCode], [3, '', 'installation-incomplete', 3])
})

test('any other failure before the command is one of its own, with the place, and refuses nothing', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const fault = { 'bin/as-server.js': "throw new TypeError('one\\u001b')" }
  const { code, stderr } = await runNode([entryIn(directory, fault), 'version'])
  assert.equal(code, 70)
  assert.match(
    stderr,
    /^casemate: internal-error: TypeError: one\?\n {2}at .*as-server\.js[^]*\nhint: this is a fault/,
  )
})
