import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../src/nearest.ts'

test('the nearest name is found whatever its case, and none where nothing is near', () => {
  const known = ['verify', 'secret', 'policy', 'endorsements', 'at', 'mrTd']
  assert.equal(nearest('vreify', known), 'verify')
  assert.equal(nearest('secert', known), 'secret')
  assert.equal(nearest('endorse', known), 'endorsements')
  assert.equal(nearest('MRTD', known), 'mrTd')
  assert.equal(nearest('xyzzy', known), null)
  assert.equal(nearest('ls', known), null)
  assert.equal(nearest('verify'.repeat(20), known), null)
})
