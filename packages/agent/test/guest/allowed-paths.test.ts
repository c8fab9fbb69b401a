// Which secrets a pattern lets be asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowedBy, isSecretPath, isSecretPattern } from '../../src/guest/allowed-paths.ts'

test('a star stands for one whole segment, and for no part of one', () => {
  const allowed = allowedBy(['default/*/key', 'a/b/c'])
  for (const path of ['default/db/key', 'default/x/key', 'a/b/c']) assert.equal(allowed(path), true, path)
  for (const path of ['default/db/other', 'default/db', 'default/a/b/key', 'default/db/key/more', 'a/b/cc']) {
    assert.equal(allowed(path), false, path)
  }
})

test('nothing is allowed by no pattern', () => {
  assert.equal(allowedBy([])('a/b/c'), false)
})

for (const bad of ['a/b', 'a/b/c/d', 'a/b*/c', 'a//c', '../b/c', '']) {
  test(`no pattern, and no path: “${bad}”`, () => {
    assert.equal(isSecretPattern(bad), false)
    assert.equal(isSecretPath(bad), false)
    assert.throws(() => allowedBy([bad]), TypeError)
  })
}

test('a star is no path', () => {
  assert.equal(isSecretPattern('a/*/c'), true)
  assert.equal(isSecretPath('a/*/c'), false)
})
