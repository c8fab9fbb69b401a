// A member of each object in an array is held to its range like any other, and named by its place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignedFields } from '../../src/documents/signed-fields.ts'

test('an integer of each object is read; any that is none in its range is refused by its path', () => {
  const fields = (second: unknown): SignedFields => new SignedFields({ all: [{ svn: 0 }, second] }, 'info')
  assert.deepEqual(fields({ svn: 255, type: 'x' }).integersOf('all', 'svn', 255), [0, 255])
  for (const bad of [256, -1, 1.5, '1', null, undefined]) {
    assert.throws(() => fields({ svn: bad }).integersOf('all', 'svn', 255), {
      code: 'endorsement-malformed',
      message: /^info\.all\[1\]\.svn is /,
    })
  }
  const inherited = Object.create({ svn: 1 }) as unknown
  for (const bad of [inherited, {}]) {
    assert.throws(() => fields(bad).integersOf('all', 'svn', 255), {
      message: /^info\.all\[1\]\.svn is nothing/,
    })
  }
  for (const bad of [null, 1, [1]]) {
    assert.throws(() => fields(bad).integersOf('all', 'svn', 255), { message: /^info\.all\[1\] is / })
  }
})
