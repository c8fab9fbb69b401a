// What a thread of the platform is told of the process around it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const OWN_CODE = new URL('../../src/running/own-code.ts', import.meta.url)
const SHOW = `
  import { Worker } from 'node:worker_threads'
  import { threadEnvironment } from ${JSON.stringify(OWN_CODE.href)}
  const code = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage(process.env)"
  const worker = new Worker(code, { eval: true, env: threadEnvironment() })
  worker.on('message', told => console.log(JSON.stringify(told)))
`

/** The environment of a thread, in a process with this one. */
function ofThread(env: Readonly<Record<string, string>>): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', SHOW], { env })
  assert.equal(stderr.toString(), '')
  return JSON.parse(stdout.toString())
}

test('a thread learns where compiled code is kept, and nothing else of the environment', t => {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-compiled-'))
  t.after(() => rmSync(directory, { recursive: true }))
  assert.deepEqual(ofThread({ SECRET: 'x', NODE_COMPILE_CACHE: directory }), {
    NODE_COMPILE_CACHE: directory,
  })
  assert.deepEqual(ofThread({ SECRET: 'x' }), {})
})
