// No test file is lost, or run twice, because some of them share a process.
import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { test } from 'node:test'
import { groupsOf } from '../scripts/test-groups.ts'

test('each test file runs once, in a group or alone', () => {
  const all = globSync(['{packages,examples}/*/test/**/*.test.ts', 'test/**/*.test.ts'])
  const { together, alone } = groupsOf(all)
  const grouped = together.flatMap(({ files }) => files)
  assert.deepEqual([...grouped, ...alone].toSorted(), all.toSorted())
  for (const { name, files } of together) assert.ok(files.length > 5, name)
})

test('what changes a process for good runs alone', () => {
  const alone = [
    'broker/test/attestation/authority',
    'evidence/test/node/authorities',
    'cli/test/broker/authority',
    'cli/test/broker/authority-online',
  ].map(name => `packages/${name}.test.ts`)
  assert.deepEqual(
    alone.filter(file => !existsSync(file)),
    [],
  )
  assert.deepEqual(groupsOf(alone).alone, alone)
})
