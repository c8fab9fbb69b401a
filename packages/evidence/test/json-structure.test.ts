// An object that names a member twice is found however many members it has, and whatever stands beside it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FILE_JSON, jsonFault } from '../src/json-structure.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `"m${index}":${index}`)

test('a name that an object has twice is found among few and among many', () => {
  for (const count of [1, 2, 7, 8, 9, 40]) {
    for (const at of [0, count >> 1, count - 1]) {
      const text = `{${[...names(count), `"m${at}":0`].join()}}`
      assert.deepEqual(jsonFault(text, FILE_JSON), { fault: 'twice', name: `m${at}` }, text)
    }
    assert.equal(jsonFault(`{${names(count).join()}}`, FILE_JSON), null)
  }
})

test('objects beside and in each other have the same names', () => {
  for (const count of [2, 9]) {
    const object = `{${names(count).join()}}`
    assert.equal(
      jsonFault(`[${object},${object},{"m0":${object},"m1":[${object}]},${object}]`, FILE_JSON),
      null,
    )
    assert.deepEqual(jsonFault(`[${object},{"m0":${object},"m1":${object},"m0":1}]`, FILE_JSON), {
      fault: 'twice',
      name: 'm0',
    })
  }
})

test('a name that is spelled with escapes is the same name', () => {
  for (const text of ['{"ab":1,"\\u0061b":2}', '{"\\u0061b":1,"ab":2}', '{"\\u0061b":1,"a\\u0062":2}']) {
    assert.deepEqual(jsonFault(text, FILE_JSON), { fault: 'twice', name: 'ab' }, text)
  }
  assert.equal(jsonFault('{"\\\\":1,"\\"":2,"\\\\\\"":3}', FILE_JSON), null)
})
