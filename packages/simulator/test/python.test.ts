// Python’s `cryptography`, whose DER reader is stricter than OpenSSL’s, reads all that a platform issues.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '../src/index.ts'

/** Reads DER and PEM in hex, one item a line; answers with what it found in each. */
const READER = `
import sys
from cryptography import x509
for line in sys.stdin:
    data = bytes.fromhex(line)
    if data.startswith(b'-----'):
        for certificate in x509.load_pem_x509_certificates(data):
            print('certificate', certificate.subject.rfc4514_string(), len(list(certificate.extensions)))
        continue
    try:
        certificate = x509.load_der_x509_certificate(data)
        print('certificate', certificate.subject.rfc4514_string(), len(list(certificate.extensions)))
    except ValueError:
        crl = x509.load_der_x509_crl(data)
        print('crl', crl.next_update_utc.isoformat(), [entry.serial_number for entry in crl])
`

// Version 42 is the first with times that know their zone.
const PROBE = 'import cryptography, sys; sys.exit(int(cryptography.__version__.split(".")[0]) < 42)'
const missing =
  spawnSync('python3', ['-c', PROBE]).status === 0 ? false : 'no python3 with cryptography 42 or newer'

test('python’s cryptography reads every certificate and list', { skip: missing }, async () => {
  const now = new Date('2026-11-22T12:00:00Z')
  const intel = await createIntelPlatform({ now, faults: { revoked: ['pck', 'intermediate'] } })
  const amd = await createAmdPlatform({ now, modulusBits: 2048, faults: { revoked: ['intermediate'] } })
  // As AMD’s own, a simulated VCEK has serial number 0, which newer versions of the library refuse.
  const items = [...intel.endorsements, ...amd.endorsements].filter(({ name }) => !/json$|^leaf/.test(name))
  const input = items.map(({ bytes }) => `${Buffer.from(bytes).toString('hex')}\n`).join('')
  const { stdout, stderr } = spawnSync('python3', ['-c', READER], { input, encoding: 'utf8' })
  assert.equal(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.filter(line => line.startsWith('certificate')).length, 6)
  assert.deepEqual(
    lines.filter(line => line.startsWith('crl')).map(line => line.split(' ')[1]),
    ['2026-12-22T12:00:00+00:00', '2027-11-22T12:00:00+00:00', '2027-11-22T12:00:00+00:00'],
  )
  assert.ok(
    lines.every(line => !line.endsWith('[]')),
    stdout,
  )
})
