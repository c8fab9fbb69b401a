// Tables stay in their columns, whatever script the names in them are written in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fields, table, tableOfIds } from '../../src/terminal/table.ts'
import { widthOf } from '../../src/terminal/width.ts'

test('wide characters take two columns, and marks on others none', () => {
  for (const [text, width] of [
    ['first', 5],
    ['张三', 4],
    ['Zoe\u0308', 3],
    ['ｆｕｌｌ', 8],
    ['서울', 4],
    ['ひらがな', 8],
    ['🔑', 2],
    ['ｶﾀｶﾅ', 4],
    ['ꀀ﹏', 4],
    ['\u1112\u1161\u11ab글', 4],
    ['\u200b', 0],
    ['a\tb\u001b[1m', 17],
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

test('on a screen that is too narrow, what does not fit of a row stands below it, and nothing is cut', () => {
  const rows = [
    ['张三', 'auditor', 'a reason that is long'],
    ['first', 'admin', '-'],
  ] as const
  assert.deepEqual(table(['name', 'role', 'why'], rows, '', 20), [
    'NAME   ROLE     WHY',
    '张三   auditor',
    '       a reason that is long',
    'first  admin    -',
  ])
  assert.deepEqual(table(['name', 'role', 'why'], rows, '', 37).length, 3)
  assert.deepEqual(table(['name', 'role', 'why'], rows, '', 13), [
    'NAME',
    '       ROLE',
    '       WHY',
    '张三',
    '       auditor',
    '       a reason that is long',
    'first',
    '       admin',
    '       -',
  ])
})

test('ids of attestations are shortened on a screen that has no room for them, and never in a pipe', () => {
  const id = '019a0000-0000-7000-8000-00004f21c09b'
  for (const [columns, shown] of [
    [null, `${id}  tdx`],
    [42, `${id}  tdx`],
    [41, '…4f21c09b  tdx'],
  ] as const)
    assert.equal(tableOfIds(['id', 'kind'], [[id, 'tdx']], '', columns)[1], shown)
})
