// Faults of a server's certificate, by the codes that Node gives them; authority.test.ts of the command makes real ones.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateFault } from '../src/certificate-fault.ts'

function failed(code: string, message = 'x'): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) })
}

/** Every result of a verification that Node names (its `X509ErrorCode`), but for lists of revocation, of which TLS asks none. */
const NAMED = `UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_DECRYPT_CERT_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY
  CERT_SIGNATURE_FAILURE CERT_NOT_YET_VALID CERT_HAS_EXPIRED ERROR_IN_CERT_NOT_BEFORE_FIELD
  ERROR_IN_CERT_NOT_AFTER_FIELD DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_ISSUER_CERT_LOCALLY
  UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED INVALID_CA PATH_LENGTH_EXCEEDED INVALID_PURPOSE
  CERT_UNTRUSTED CERT_REJECTED`.split(/\s+/)

test('whatever is wrong with a certificate is said to be the certificate’s, and not that nobody answers', () => {
  for (const code of NAMED) {
    const fault = certificateFault(failed(code), 'https://broker.example')
    assert.match(
      fault?.message ?? '',
      new RegExp(`^the certificate of https://broker\\.example .*\\(${code}\\)$`),
    )
  }
  const unnamed = certificateFault(
    failed('UNSPECIFIED', 'permitted subtree violation'),
    'https://broker.example',
  )
  assert.match(unnamed?.message ?? '', /\(permitted subtree violation\)$/)
})

test('what says nothing of a certificate is none of its faults', () => {
  for (const thrown of [failed('ECONNREFUSED'), failed('toString'), new Error('x'), null, 'INVALID_CA']) {
    assert.equal(certificateFault(thrown, 'x'), null)
  }
})
