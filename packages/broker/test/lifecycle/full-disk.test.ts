// A disk that is really full: nothing is acknowledged that is not there, and when there is room again, all goes on.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../broker.ts'

const CHILD = fileURLToPath(new URL('full-disk-child.ts', import.meta.url))

/** In a name space of its own, where this user may mount a file system in memory; nothing of it is left afterwards. */
function onSmallDisk(directory: string, command: string) {
  const script = `mount -t tmpfs -o size=6m tmpfs "$0" && exec ${command} "$0"`
  const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, directory]
  return spawnSync('unshare', args, { encoding: 'utf8' })
}

test('a broker on a full disk refuses, is not ready and loses nothing, and goes on when there is room', async t => {
  const directory = temporaryDirectory()
  t.after(() => rmSync(directory, { recursive: true }))
  if (onSmallDisk(directory, 'ls').status !== 0) {
    return t.skip(
      'NOT TESTED: a full disk. This machine lets this user mount nothing (unshare --user --mount)',
    )
  }
  const { stdout, stderr } = onSmallDisk(directory, `"${process.execPath}" "${CHILD}"`)
  assert.match(stdout, /^\{/, stderr)
  const { puts, refusals, ...seen } = JSON.parse(stdout)
  assert.deepEqual(seen, {
    full: { status: 503, reason: 'write-refused' },
    free: { status: 200, reason: null },
    last: 201,
    missing: [],
  })
  for (const refusal of refusals) assert.deepEqual(refusal, { status: 503, code: 'unavailable' })
  assert.ok(refusals.length > 0)
  assert.ok(puts > 0)
})
