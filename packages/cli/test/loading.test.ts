// What a command loads, as it starts from source: no command waits for a part of the program that it does not use.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { commandNames, commandsOf, FIRST_WORDS } from '../src/commands.ts'
import { SOURCE } from './bin.ts'
import { environment } from './run.ts'
import { AT, cwd } from './verify/directory.ts'

/** Prints, as the process ends, the address of every module that was loaded. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const urls = []
  registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
  process.on('exit', () => process.stderr.write(JSON.stringify(urls)))
`)}`

/** The modules that a command line loads, as `package/path`. */
function loadedBy(...args: readonly string[]): string[] {
  const { stderr } = spawnSync(process.execPath, ['--import', HOOK, SOURCE, ...args], {
    cwd,
    env: environment(),
    encoding: 'utf8',
  })
  const urls: string[] = JSON.parse(stderr.slice(stderr.lastIndexOf('[')))
  return urls.flatMap(url => /\/(?:packages|node_modules)\/(?!.*\/node_modules\/)(.+)$/.exec(url)?.[1] ?? [])
}

function packagesOf(modules: readonly string[]): string[] {
  return [...new Set(modules.map(path => path.replace(/^((?:@[^/]+\/)?[^/]+)\/.*/, '$1')))].toSorted()
}

test('the version and the help load the command alone, and the measure of slips', () => {
  for (const args of [['--version'], ['--help'], ['help', 'verify'], ['verify', '--help']]) {
    const others = loadedBy(...args).filter(path => !path.startsWith('cli/'))
    assert.deepEqual(others, ['evidence/src/nearest.ts'], args.join(' '))
  }
})

test('verify loads what reads and appraises evidence, and nothing that speaks to a broker', () => {
  const loaded = loadedBy('verify', 'quote.bin', '--endorsements', 'collateral', '--at', AT)
  assert.deepEqual(packagesOf(loaded), [
    'appraisal',
    'cli',
    'evidence',
    'get-east-asian-width',
    'typebox',
    'yaml',
  ])
})

test('the table names the commands that its modules have', async () => {
  const loaded = []
  for (const first of FIRST_WORDS) {
    for (const { words } of await commandsOf(first)) {
      assert.equal(words[0], first)
      loaded.push(words.join(' '))
    }
  }
  assert.deepEqual(commandNames(), loaded)
})
