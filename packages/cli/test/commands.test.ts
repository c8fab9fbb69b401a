// The places that a command touches: its file and the table. Nothing else of the command knows it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { filesOf } from '../../../test/import-graph.ts'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

describe('a command', () => {
  test('is known to the table of commands alone, and to those of its group', () => {
    for (const [file, imported] of filesOf(SRC)) {
      if (file === 'commands.ts' || file.startsWith('commands/')) continue
      const commands = [...imported].filter(path => path.startsWith('commands/'))
      assert.deepEqual(commands, [], file)
    }
  })

  test('of every file of commands is in the table, or in a file that is', () => {
    const graph = filesOf(SRC)
    const reached = new Set<string>(['commands.ts'])
    for (const file of reached) for (const next of graph.get(file) ?? []) reached.add(next)
    for (const file of graph.keys()) {
      if (file.startsWith('commands/')) assert.ok(reached.has(file), file)
    }
  })
})
