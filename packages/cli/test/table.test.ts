// Tables stay in their columns, whatever script the names in them are written in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fields, table } from '../src/table.ts'
import { widthOf } from '../src/width.ts'

test('wide characters take two columns, and marks on others none', () => {
  for (const [text, width] of [
    ['first', 5],
    ['张三', 4],
    ['Zoe\u0308', 3],
    ['ｆｕｌｌ', 8],
    ['서울', 4],
    ['ひらがな', 8],
    ['🔑', 2],
    ['“”–…✓✗', 6],
    ['', 0],
  ] as const)
    assert.equal(widthOf(text), width, text)
})

test('columns begin at the same place under names of any script', () => {
  const rows = [
    ['张三', 'auditor'],
    ['first', 'admin'],
  ] as const
  assert.deepEqual(table(['name', 'role'], rows, ''), ['NAME   ROLE', '张三   auditor', 'first  admin'])
  assert.deepEqual(fields(rows), ['张三   auditor', 'first  admin'])
})
