// Files of authorities of one's own: read whole, or refused.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { getCACertificates } from 'node:tls'
import { trustAuthorities } from '../../src/node/authorities.ts'
import { AUTHORITY_PEM } from './private-authority.ts'

const BEGIN = '-----BEGIN CERTIFICATE-----'

function isTrusted(): boolean {
  const known = getCACertificates('default').map(pem => new X509Certificate(pem).fingerprint256)
  return known.includes(new X509Certificate(AUTHORITY_PEM).fingerprint256)
}

test('a file that ends in the middle of an authority is refused, and nothing of it is trusted', () => {
  const cuts = ['-----BEGIN CERTIF', BEGIN, `${BEGIN}\nMIIB`, AUTHORITY_PEM.trimEnd().slice(0, -8)]
  const atEnd = cuts.flatMap(cut => [cut, `${AUTHORITY_PEM}${cut}`, `${AUTHORITY_PEM}${cut}\n`])
  for (const text of [...atEnd, `${BEGIN}\nMIIB\n${AUTHORITY_PEM}`]) {
    assert.throws(() => trustAuthorities(text), { code: 'certificate-malformed' }, text)
  }
  assert.equal(isTrusted(), false)
})

test('a file of authorities may say more than its certificates', () => {
  trustAuthorities(`Our authority\n=============\n\n${AUTHORITY_PEM}\n-- the end --\n`)
  assert.equal(isTrusted(), true)
})
