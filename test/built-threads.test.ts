// Threads in `npm test` start from the built command where it has their file, and from their source where it has not.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { neighboursOf } from '../scripts/build/neighbours.ts'

const ROOT = join(import.meta.dirname, '..')
const FIRST = pathToFileURL(join(ROOT, 'scripts/built-threads.mjs')).href

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'casemate-threads-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

const LONGEST_MS = 20_000

/** A module that tells its thread's owner so. */
const saying = (what: string): string =>
  `import { parentPort } from 'node:worker_threads'\nparentPort.postMessage('${what}')\n`

/** What each of these says as the first file of a thread; the command was built into `built`. */
function said(files: readonly string[], built: string): unknown {
  const script = `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const said = []
    for (const file of ${JSON.stringify(files)}) said.push((await once(new Worker(file), 'message'))[0])
    console.log(JSON.stringify(said))
  `
  writeFileSync(join(built, 'owner.mjs'), script)
  const args = ['--import', FIRST, join(built, 'owner.mjs')]
  const env = { BUILT_COMMAND: join(built, 'casemate.js') }
  // A thread of the source waits to be told what to do.
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, timeout: LONGEST_MS })
  assert.equal(stderr.toString(), '')
  return JSON.parse(stdout.toString())
}

test('every file that a package starts a thread or process from is found in the built command', t => {
  const built = folder(t)
  const files = neighboursOf(ROOT).code.filter(({ in: path }) => path.endsWith('.ts'))
  assert.ok(files.length > 0)
  for (const { out } of files) writeFileSync(join(built, `${out}.js`), saying(out))
  const paths = files.map(({ in: path }) => path)
  const names = files.map(({ out }) => out)
  assert.deepEqual(said(paths, built), names)
})

test('what the built command has not starts from its source', t => {
  const place = folder(t)
  const source = join(place, 'packages/room/src')
  mkdirSync(source, { recursive: true })
  writeFileSync(join(source, 'thread.ts'), saying('source'))
  assert.deepEqual(said([join(source, 'thread.ts')], place), ['source'])
})
