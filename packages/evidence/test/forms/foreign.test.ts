// What is known and cannot be verified is called by its name, and what is no evidence at all is described.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { recognise } from '../../src/recognise.ts'
import { skip, VECTORS } from '../vectors.ts'
import { refuses } from './expect-refusal.ts'
import { b64, b64url, json, pemOf, utf8 } from './written.ts'

test('what is no evidence is described, with the wrappers that it was in', () => {
  refuses(
    'evidence-malformed',
    json({ name: 1, 'b\u202ed': 2 }),
    /got JSON with the members name, "b\\u202ed"$/,
  )
  refuses('evidence-malformed', utf8('hello, world!'), /got text that begins with "hello, world!"$/)
  refuses(
    'evidence-malformed',
    json({ quote: b64('what is this\u001b[2J') }),
    /"what is this\\u001b\[2J", in base64 in/,
  )
  refuses(
    'evidence-malformed',
    Buffer.from('ffee'.repeat(9), 'hex'),
    /bytes that begin with ff ee ff ee ff ee ff ee$/,
  )
})

const jwt = (claims: unknown): string => `${b64url('{"alg":"RS256"}')}.${b64url(JSON.stringify(claims))}.AAAA`
const epid = (): Buffer => {
  const quote = Buffer.alloc(436 + 680)
  quote[0] = 2
  quote.writeUInt32LE(680, 432)
  return quote
}
const sev = (): Buffer => {
  const report = Buffer.alloc(208, 7)
  report.writeUInt32LE(0x1002, 52)
  report.writeUInt32LE(2, 56)
  report.writeUInt32LE(0, 60)
  return report
}
const tdReport = (): Buffer => {
  const report = Buffer.alloc(1024)
  report[0] = 0x81
  return report
}
const tar = (): Buffer => {
  const archive = Buffer.alloc(512, 'a')
  archive.write('ustar', 257)
  return archive
}

/** What is known and cannot be verified, and what has to be said about it. */
const FOREIGN: readonly (readonly [bytes: Uint8Array, name: RegExp, hint: RegExp])[] = [
  [
    utf8(jwt({ iss: 'https://portal.trustauthority.intel.com' })),
    /token of Intel Trust Authority/,
    /what another verifier made/,
  ],
  [
    json({ token: jwt({ iss: 'https://x.weu.attest.azure.net' }) }),
    /token of Microsoft Azure Attestation/,
    /give the quote/,
  ],
  [
    utf8(jwt({ iss: 'https://confidentialcomputing.googleapis.com' })),
    /Google Confidential Space/,
    /give the quote/,
  ],
  [
    utf8(jwt({ iss: 'https://nras.attestation.nvidia.com' })),
    /NVIDIA’s attestation service/,
    /give the quote/,
  ],
  [
    utf8(jwt({ submods: { cpu: { 'ear.status': 'affirming' } } })),
    /\(EAR\), such as Trustee/,
    /give the quote/,
  ],
  [
    utf8(jwt({ iss: 'https://idp.example' })),
    /a JSON Web Token of "https:\/\/idp\.example"/,
    /give the quote/,
  ],
  [
    Buffer.concat([Buffer.from('HCLA'), Buffer.alloc(99)]),
    /vTPM evidence of Azure \(an HCL report\)/,
    /Azure/,
  ],
  [
    json({ hcl_report: 'SENMQQ', tpm_quote: {}, td_quote: 'BAAC' }),
    /vTPM evidence of Azure/,
    /says nothing about the TPM/,
  ],
  [Buffer.from('8444a1013822a0591187bf', 'hex'), /AWS Nitro/, /Nitro/],
  [json({ attestation_document: b64(Buffer.from('8444a1013822a0591187bf', 'hex')) }), /AWS Nitro/, /Nitro/],
  [Buffer.from('d9018fa219acca', 'hex'), /Arm CCA token/, /CCA/],
  [Buffer.from('d28443a10126a0', 'hex'), /COSE.*PSA/, /PSA/],
  [Buffer.from('ff544347801800', 'hex'), /a TPM quote \(TPMS_ATTEST\)/, /TPM/],
  [
    json({ quote: b64(Buffer.from('0070ff5443478018', 'hex')), signature: 'AA==', pcrs: 'AA==' }),
    /a TPM quote/,
    /TPM/,
  ],
  [json({ ak_public: 'AA', tpm_quote: {} }), /evidence of a TPM/, /TPM/],
  [tdReport(), /a TDREPORT/, /have the quoting service make a quote/],
  [epid(), /an EPID quote of SGX/, /Intel has ended EPID/],
  [sev(), /SEV or SEV-ES/, /before SEV-SNP/],
  [
    Buffer.from('01000000010000000400000000000000aabbccdd', 'hex'),
    /a local report of Open Enclave/,
    /a remote one/,
  ],
  [
    json([{ arch: 'HOPPER', certificate: 'AA', evidence: 'AA', nonce: '00' }]),
    /evidence of NVIDIA GPUs/,
    /GPU/,
  ],
  [json({ attestation_report: { data: [1], magic: [2] }, serial_number: [3] }), /Hygon CSV/, /Hygon/],
  [json({ keys: [{ kty: 'RSA' }] }), /a set of keys \(JWKS\)/, /give the quote/],
  [utf8(pemOf(Buffer.from([1, 2]), 'PRIVATE KEY')), /a private key in PEM/, /a key proves nothing/],
  [utf8(pemOf(Buffer.from([1, 2]))), /a certificate in PEM, and no evidence/, /--endorsements/],
  [Buffer.from('28b52ffd00', 'hex'), /compressed with zstd/, /unpack it/],
  [Buffer.from('fd377a585a00', 'hex'), /compressed with xz/, /unpack it/],
  [Buffer.from('BZh91AY'), /compressed with bzip2/, /unpack it/],
  [Buffer.from('504b030414', 'hex'), /a ZIP archive/, /unpack it/],
  [tar(), /a tar archive/, /unpack it/],
  [gzipSync(tar()), /a tar archive/, /unpack it/],
  [Buffer.from('7f454c460201', 'hex'), /a program \(ELF\)/, /casemate enclave inspect/],
]

test('what is known and cannot be verified is called by its name, with a hint about it', () => {
  for (const [bytes, name, hint] of FOREIGN) {
    const refusal = refuses('evidence-unsupported', bytes, name)
    assert.match(refusal.hint ?? '', hint)
  }
})

test('what has only a part of such a mark is not called by its name', () => {
  const longer = Buffer.concat([epid(), Buffer.alloc(1)])
  const reserved = sev()
  reserved[60] = 1
  for (const bytes of [longer, reserved]) {
    assert.throws(() => recognise(bytes), { name: 'Refusal', message: /^(?!.*(?:EPID|SEV-ES))/ })
  }
})

test('of a token as much is looked at as any issuer writes', () => {
  const padded = (length: number) => utf8(jwt({ pad: ' '.repeat(length), iss: 'https://idp.example' }))
  refuses('evidence-unsupported', padded(60_000), /a JSON Web Token of /)
  refuses('evidence-unsupported', padded(70_000), /^(?!.*a JSON Web Token of )/)
})

/** Captured things of other kinds, and what they are called. */
const CAPTURED: readonly (readonly [folder: string, file: RegExp, name: RegExp])[] = [
  ['az-snp-vtpm', /^(?:evidence\.json|hcl-report\.bin)$/, /vTPM evidence of Azure/],
  ['az-tdx-vtpm', /^(?:evidence\.json|hcl-report\.bin)$/, /vTPM evidence of Azure/],
  ['nitro', /^doc\.cbor$/, /AWS Nitro/],
  ['cca', /^token\.cbor$/, /Arm CCA token/],
  ['psa', /\.cbor$/, /COSE/],
  ['tpm', /^(?:evidence\.json|.*quote.*\.(?:msg|bin))$/, /TPM/],
  ['ita', /^token\.jwt$/, /Intel Trust Authority/],
  ['maa', /^token\.jwt$/, /Microsoft Azure Attestation/],
  ['nras', /^token\.jwt$/, /NVIDIA/],
  ['gcp-confidential-space', /^token\.jwt$/, /Google Confidential Space/],
  ['coco-as', /^token\.jwt$/, /such as Trustee/],
  ['other-hygon-csv', /^evidence\.json$/, /Hygon CSV/],
  ['nvidia-gpu', /^(?:evidence|data)\.json$/, /NVIDIA GPUs/],
]

test('captured evidence of other kinds is called by its name', { skip }, () => {
  for (const [folder, pattern, name] of CAPTURED) {
    const files = readdirSync(resolve(VECTORS, folder)).flatMap(vector =>
      readdirSync(resolve(VECTORS, folder, vector))
        .filter(file => pattern.test(file))
        .map(file => resolve(VECTORS, folder, vector, file)),
    )
    assert.ok(files.length > 0, folder)
    for (const file of files) {
      assert.throws(() => recognise(new Uint8Array(readFileSync(file))), { message: name }, file)
    }
  }
})
