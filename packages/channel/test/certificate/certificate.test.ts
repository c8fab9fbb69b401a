// Our certificates as others read them: OpenSSL's command line and Python's cryptography.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as asn1 from '@casemate/evidence/asn1'
import { readCertificate } from '../../src/certificate/read.ts'
import { OID_TAGGED_EVIDENCE, readCarried } from '../../src/evidence/carried.ts'
import { makeCredentials } from '../../src/identity/credentials.ts'
import { amdMachine, intelMachine } from '../fixtures.ts'

const directory = mkdtempSync(join(tmpdir(), 'casemate-channel-'))
after(() => rmSync(directory, { recursive: true }))

const missing = (command: string, ...args: string[]): string | false =>
  spawnSync(command, args).status === 0 ? false : `no ${command} ${args.join(' ')} here`

async function certificateFile(kind: 'tdx' | 'snp'): Promise<{ file: string; certificate: Uint8Array }> {
  const { driver } = kind === 'tdx' ? await intelMachine('tdx') : await amdMachine()
  const { certificate } = await makeCredentials({
    driver,
    statement: { sigstruct: new Uint8Array(1808) },
    now: new Date(),
    lifetimeMs: 3_600_000,
  })
  const file = join(directory, `${kind}.der`)
  writeFileSync(file, certificate)
  return { file, certificate }
}

test('OpenSSL reads our certificates, and agrees that they sign themselves', {
  skip: missing('openssl', 'version'),
}, async () => {
  for (const kind of ['tdx', 'snp'] as const) {
    const { file } = await certificateFile(kind)
    const run = (...args: string[]): string =>
      execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })
    const text = run('x509', '-inform', 'der', '-in', file, '-noout', '-text')
    assert.match(text, /Version: 3/)
    assert.match(text, /ecdsa-with-SHA256/)
    assert.match(text, /Digital Signature/)
    assert.match(text, new RegExp(OID_TAGGED_EVIDENCE.replaceAll('.', '\\.')))
    const pem = join(directory, 'certificate.pem')
    run('x509', '-inform', 'der', '-in', file, '-out', pem)
    assert.match(run('verify', '-x509_strict', '-partial_chain', '-CAfile', pem, pem), /OK/)
  }
})

const PYTHON = `
import sys, hashlib, datetime
from cryptography import x509
from cryptography.hazmat.primitives import serialization
c = x509.load_der_x509_certificate(open(sys.argv[1], 'rb').read())
spki = c.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
value = c.extensions.get_extension_for_oid(x509.ObjectIdentifier('2.23.133.5.4.9')).value.value
print(hashlib.sha256(spki).hexdigest())
print(hashlib.sha256(value).hexdigest())
utc = '_utc' if hasattr(c, 'not_valid_after_utc') else ''  # since version 42
print(int((getattr(c, 'not_valid_after' + utc) - getattr(c, 'not_valid_before' + utc)).total_seconds()))
print(c.serial_number > 0)
`

test('Python’s cryptography reads the same key, window and evidence from them', {
  skip: missing('python3', '-c', 'import cryptography'),
}, async () => {
  const { file, certificate } = await certificateFile('tdx')
  const output = execFileSync('python3', ['-c', PYTHON, file], { encoding: 'utf8' })
  const { spki, extensions, notBefore, notAfter } = readCertificate(certificate)
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  assert.deepEqual(output.trim().split('\n'), [
    digest(spki),
    digest(extensions.get(OID_TAGGED_EVIDENCE)!),
    String((notAfter.getTime() - notBefore.getTime()) / 1000),
    'True',
  ])
  assert.ok(readCarried(extensions).claimsBuffer)
})

test('a certificate is read whole or refused', async () => {
  const { certificate } = await certificateFile('tdx')
  for (const bytes of [
    new Uint8Array(),
    certificate.subarray(0, -1),
    Buffer.concat([certificate, Buffer.of(0)]),
    Buffer.from('-----BEGIN CERTIFICATE-----'),
    new Uint8Array(100_000),
  ]) {
    assert.throws(() => readCertificate(bytes), { code: 'certificate-malformed' })
  }
})

function certificateWith(...extensions: readonly ReturnType<typeof asn1.extension>[]): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return asn1.encodeCertificate(
    {
      serial: Uint8Array.of(1),
      issuer: [['CN', 'test']],
      subject: [['CN', 'test']],
      spki: publicKey.export({ type: 'spki', format: 'der' }),
      notBefore: new Date(),
      notAfter: new Date(),
      extensions,
    },
    {
      algorithm: asn1.sequence(asn1.oid('1.2.840.10045.4.3.2')),
      sign: tbs => sign('sha256', tbs, privateKey),
    },
  )
}

test('a certificate with a critical extension that is not known is refused', () => {
  const unknown = (critical: boolean) => asn1.extension('1.2.3.4', asn1.nullValue(), critical)
  readCertificate(certificateWith(unknown(false)))
  assert.throws(() => readCertificate(certificateWith(unknown(true))), { code: 'certificate-malformed' })
})

test('a certificate with two pieces of evidence is refused: readers might not choose the same', () => {
  const evidence = (value: number) => asn1.extension(OID_TAGGED_EVIDENCE, Uint8Array.of(value))
  readCertificate(certificateWith(evidence(1)))
  const two = certificateWith(evidence(1), evidence(2))
  assert.throws(() => readCertificate(two), { code: 'certificate-malformed' })
})
