import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attestationId } from '../../src/attestation/attestation-id.ts'

test('an attestation’s id is a UUID of version 7 that says its time', () => {
  const at = new Date('2022-02-22T19:22:22.000Z')
  const id = attestationId(at)
  // The time of the example in RFC 9562, appendix A.6.
  assert.match(id, /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('ids of one millisecond differ, and later ones sort after earlier ones', () => {
  const at = (ms: number) => attestationId(new Date(1_700_000_000_000 + ms))
  const many = new Set(Array.from({ length: 1000 }, () => at(0)))
  assert.equal(many.size, 1000)
  assert.ok([...many].every(id => id < at(1)))
})
