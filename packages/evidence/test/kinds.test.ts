// The table of kinds: what its rows must agree upon with each other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLAIM_FIELDS, COMMON_FIELDS } from '../src/claim-fields.ts'
import { BINARY_FORMATS, EVIDENCE_KINDS, KINDS } from '../src/kinds.ts'

test('a claim that several kinds have is of one type', () => {
  for (const { claimFields } of Object.values(EVIDENCE_KINDS)) {
    for (const [name, field] of Object.entries(claimFields)) assert.deepEqual(CLAIM_FIELDS[name], field, name)
  }
})

test('every kind has its claims under its own name, and takes no name of the claims of all', () => {
  for (const kind of KINDS) {
    const own = Object.keys(EVIDENCE_KINDS[kind].claimFields)
    assert.ok(own.includes(kind), kind)
    assert.deepEqual(
      own.filter(name => Object.hasOwn(COMMON_FIELDS, name)),
      [],
    )
  }
})

test('no bytes begin like two formats', () => {
  for (let version = 0; version < 1024; version++) {
    for (const upper of [0, 1, 2, 3, 0x100, 0xffff]) {
      const head = new Uint8Array(new Uint16Array([version, upper]).buffer)
      assert.ok(BINARY_FORMATS.filter(({ begins }) => begins(head)).length <= 1, `${version}, ${upper}`)
    }
  }
})
