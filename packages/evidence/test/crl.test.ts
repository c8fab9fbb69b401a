// Which lists are read: those that are what they seem to be with nothing but serial numbers in mind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as der from '../src/asn1.ts'
import { parseCrl } from '../src/crl.ts'

const ALGORITHM = der.sequence(der.oid('1.2.840.10045.4.3.2'))
const THEN = new Date('2026-11-22T12:00:00Z')
const NOTHING = new Uint8Array()

interface Changes {
  readonly version?: number
  /** Of the list. */
  readonly extensions?: readonly der.Extension[]
  /** Extensions of its one entry. */
  readonly entry?: Uint8Array
}

/** A list that revokes serial number 7; whose signature it has, is for others to say. */
function list({ version = 1, extensions, entry }: Changes): Uint8Array {
  const tbs = der.sequence(
    der.unsigned(version),
    ALGORITHM,
    der.encodeName([['CN', 'an authority']]),
    der.time(THEN),
    der.time(THEN),
    der.sequence(der.sequence(der.unsigned(7), der.time(THEN), ...(entry ? [entry] : []))),
    ...(extensions ? [der.explicit(0, der.encodeExtensions(extensions))] : []),
  )
  return der.encodeSigned(tbs, { algorithm: ALGORITHM, sign: () => new Uint8Array(64) })
}

const extension = (oid: string, critical: boolean): der.Extension => ({
  oid,
  critical,
  value: der.nullValue(),
})

const entryOf = (...extensions: readonly der.Extension[]): Uint8Array => der.encodeExtensions(extensions)

test('a list is read with extensions that leave its meaning alone', () => {
  const reasonCode = extension('2.5.29.21', false)
  for (const changes of [
    {},
    { entry: entryOf(reasonCode) },
    { entry: entryOf(reasonCode, extension('2.5.29.24', false), extension('1.2.3.29', false)) },
    { extensions: [extension('2.5.29.35', true), extension('2.5.29.20', true), extension('1.2.3', false)] },
  ]) {
    assert.deepEqual([...parseCrl(list(changes)).revoked], ['07'])
  }
})

test('a list that is indirect, of changes only or of some certificates only is refused', () => {
  const [issuer, delta, scope] = ['2.5.29.29', '2.5.29.27', '2.5.29.28']
  for (const [what, changes] of Object.entries({
    'an entry of another issuer': { entry: entryOf(extension(issuer, true)) },
    'an entry of another issuer behind others': {
      entry: entryOf(extension('2.5.29.21', false), extension(issuer, false)),
    },
    'an entry with an extension that must be known': { entry: entryOf(extension('1.2.3.29', true)) },
    'an entry with more in an extension than belongs there': {
      entry: der.sequence(der.sequence(der.oid('2.5.29.21'), der.octetString(NOTHING), der.nullValue())),
    },
    'a list of changes': { extensions: [extension(delta, true)] },
    'a list of some certificates': { extensions: [extension('2.5.29.20', false), extension(scope, true)] },
    'version 1': { version: 0 },
    'version 3': { version: 2 },
  })) {
    assert.throws(() => parseCrl(list(changes)), { name: 'Refusal', code: 'crl-malformed' }, what)
  }
})
