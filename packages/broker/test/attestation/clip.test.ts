import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clip } from '../../src/attestation/clip.ts'

test('texts that are too long are cut wherever they stand, and nothing else changes', () => {
  const value = { a: 'abcd', list: ['abc', { deep: 'abcdef', n: 12345, no: null, yes: true }], empty: {} }
  const given = structuredClone(value)
  const cut = { a: 'abc…', list: ['abc', { deep: 'abc…', n: 12345, no: null, yes: true }], empty: {} }
  assert.deepEqual(clip(value, 3), cut)
  assert.deepEqual(value, given)
  assert.deepEqual(clip(value, 6), value)
  assert.deepEqual(clip(['abc', ['abcd']], 3), ['abc', ['abc…']])
  assert.deepEqual([clip('abcd', 3), clip('abc', 3), clip(null, 3), clip(7, 0)], ['abc…', 'abc', null, 7])
})

test('no text is left with half a character, whether it came with one or was cut there', () => {
  const value = { sent: 'a\ud800', cut: `a${'\u{1f600}'.repeat(3)}`, whole: '\u{1f600}' }
  assert.deepEqual(clip(value, 4), { sent: 'a\ufffd', cut: 'a\u{1f600}\ufffd…', whole: '\u{1f600}' })
})
