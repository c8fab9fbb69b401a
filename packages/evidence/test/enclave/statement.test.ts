// What a machine says of its enclave: one form of the text, and claims only where everything agrees.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, test } from 'node:test'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import { toHex } from '../../src/bytes.ts'
import { parseSigstruct } from '../../src/enclave/sigstruct.ts'
import {
  ENCLAVE_CLASS,
  encodeStatement,
  extendedRegister,
  parseStatement,
  statementDigest,
} from '../../src/enclave/statement.ts'
import { verifyEnclave } from '../../src/enclave/verify.ts'
import { parse } from '../../src/parse.ts'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { type Verified, verify } from '../../src/verify.ts'
import { BODY, modulusOf, SIGNER, signed } from './signed.ts'

const NOW = new Date('2026-11-25T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(9)
const SIGSTRUCT = signed()
const TEXT = encodeStatement({ sigstruct: SIGSTRUCT })
const MR_SIGNER = createHash('sha256').update(modulusOf(SIGNER.publicKey)).digest('hex')

let intel: IntelPlatform

before(async () => {
  intel = await createIntelPlatform({ now: NOW })
})

const hasCode = (code: RefusalCode) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error))
  assert.equal(error.code, code, error.message)
  return true
}

async function verified(
  evidence: Uint8Array,
  platform: Pick<IntelPlatform | AmdPlatform, 'anchors' | 'endorsements'> = intel,
) {
  const { anchors, endorsements } = platform
  const options = { now: NOW, anchors, minTcbEvaluationDataNumber: 'any' } as const
  return verify(parse(evidence), readEndorsements(endorsements), options)
}

const tdx = (changes = {}): Promise<Verified> =>
  verified(intel.tdxQuote({ reportData: REPORT_DATA, ...changes }))
const sgx = (changes = {}): Promise<Verified> =>
  verified(intel.sgxQuote({ reportData: REPORT_DATA, ...changes }))

/** An SGX processor that runs exactly this enclave. */
const MEASURED = {
  mrEnclave: BODY.enclaveHash,
  mrSigner: MR_SIGNER,
  isvProdId: BODY.isvProdId,
  isvSvn: BODY.isvSvn,
}

test('a statement is read from what it is written as', () => {
  assert.deepEqual(Buffer.from(parseStatement(TEXT).sigstruct), Buffer.from(SIGSTRUCT))
  assert.equal(JSON.parse(TEXT)[ENCLAVE_CLASS].sigstruct, Buffer.from(SIGSTRUCT).toString('base64url'))
})

const inner = TEXT.slice(TEXT.indexOf('{', 1), -1)
const last = TEXT.at(-4) ?? ''
const FORMS: Readonly<Record<string, string>> = {
  'an empty text': '',
  'an empty object': '{}',
  'a member twice': `{"${ENCLAVE_CLASS}":${inner},"${ENCLAVE_CLASS}":${inner}}`,
  'the SIGSTRUCT twice': TEXT.replace('"}}', '","sigstruct":""}}'),
  'another member': TEXT.replace('"}}', '","debug":false}}'),
  'another class besides': TEXT.replace('}}', '},"nvidia":{}}'),
  'white space': TEXT.replace(':{', ': {'),
  'a line after it': `${TEXT}\n`,
  padding: TEXT.replace('"}}', '="}}'),
  'standard base64': TEXT.replace(/[-_]/, '+'),
  'a character less': TEXT.replace(`${last}"}}`, '"}}'),
  'bits that base64 leaves over': TEXT.replace(`${last}"}}`, `${last === 'B' ? 'C' : 'B'}"}}`),
  'an escape': TEXT.replace('sigstruct', 'sigstruc\\u0074'),
  'a huge one': TEXT.replace('"}}', `${'A'.repeat(1_000_000)}"}}`),
}
for (const [form, text] of Object.entries(FORMS)) {
  test(`a statement with ${form} is refused`, () => {
    assert.notEqual(text, TEXT)
    assert.throws(() => parseStatement(text), hasCode('enclave-malformed'))
  })
}

test('evidence without a statement has no enclave', async () => {
  assert.equal((await tdx()).claims.enclave, null)
  assert.equal((await sgx()).claims.enclave, null)
})

test('a TD vouches for the enclave that it states, and the steps say so', async () => {
  const { claims, steps } = await verifyEnclave(await tdx(), parseStatement(TEXT))
  assert.deepEqual(claims.enclave, {
    mrEnclave: 'ee'.repeat(32),
    mrSigner: MR_SIGNER,
    isvProdId: 7,
    isvSvn: 3,
    isvExtProdId: '02'.repeat(16),
    isvFamilyId: '01'.repeat(16),
    debug: false,
    signedOn: '2026-11-25',
    measuredBy: 'host',
    register: 'not-extended',
  })
  assert.equal(claims.kind, 'tdx')
  assert.match(steps.at(-1)?.looked ?? '', /vouches/)
})

test('an SNP guest vouches too, and has no register', async () => {
  const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  const report = await verified(amd.snpReport({ reportData: REPORT_DATA }), amd)
  const { claims } = await verifyEnclave(report, parseStatement(TEXT))
  assert.equal(claims.enclave?.measuredBy, 'host')
  assert.equal(claims.enclave?.register, null)
})

test('an SGX processor that measured this very enclave says so', async () => {
  const { claims } = await verifyEnclave(await sgx(MEASURED), parseStatement(TEXT))
  assert.equal(claims.enclave?.measuredBy, 'processor')
})

test('an SGX processor that measured a LibOS below leaves the word to it', async () => {
  const { claims } = await verifyEnclave(await sgx(), parseStatement(TEXT))
  assert.equal(claims.enclave?.measuredBy, 'host')
})

for (const [name, value] of [
  ['mrSigner', 'aa'.repeat(32)],
  ['isvProdId', 8],
  ['isvSvn', 2],
] as const) {
  test(`a statement whose ${name} is not what the processor reports of the same code is refused`, async () => {
    const report = await sgx({ ...MEASURED, [name]: value })
    await assert.rejects(verifyEnclave(report, parseStatement(TEXT)), hasCode('enclave-mismatch'))
  })
}

test('a processor that runs the enclave for debugging is believed over the SIGSTRUCT', async () => {
  const { claims } = await verifyEnclave(
    await sgx({ ...MEASURED, attributesFlags: 0x07 }),
    parseStatement(TEXT),
  )
  assert.equal(claims.enclave?.debug, true)
})

for (const [what, changes] of [
  ['a SIGSTRUCT for debugging', { attributes: { flags: 6n, xfrm: 3n } }],
  [
    'a SIGSTRUCT that leaves debugging open',
    { attributeMask: { flags: ~2n & 0xffff_ffff_ffff_ffffn, xfrm: 0n } },
  ],
] as const) {
  test(`${what} is debug on a machine`, async () => {
    const { claims } = await verifyEnclave(await tdx(), { sigstruct: signed(changes) })
    assert.equal(claims.enclave?.debug, true)
  })
}

test('a forged SIGSTRUCT is refused with the steps that the evidence had passed', async () => {
  const sigstruct = SIGSTRUCT.slice()
  sigstruct[960] = 0
  await assert.rejects(verifyEnclave(await tdx(), { sigstruct }), error => {
    hasCode('enclave-signature-invalid')(error)
    assert.ok((error as Refusal).steps.some(step => step.name === 'quote-signature'))
    return true
  })
})

test('RTMR3 that was extended with exactly this enclave is recognised', async () => {
  const statement = { sigstruct: SIGSTRUCT }
  const digest = createHash('sha384').update(SIGSTRUCT).digest()
  const rtmr3 = createHash('sha384')
    .update(Buffer.concat([Buffer.alloc(48), digest]))
    .digest('hex')
  assert.equal(toHex(await statementDigest(statement)), digest.toString('hex'))
  assert.equal(toHex(await extendedRegister(statement)), rtmr3)
  const { claims, steps } = await verifyEnclave(await tdx({ rtmr3 }), statement)
  assert.equal(claims.enclave?.register, 'extended')
  assert.equal(steps.at(-1)?.name, 'enclave-register')
  const other = await verifyEnclave(await tdx({ rtmr3 }), { sigstruct: signed({ isvSvn: 4 }) })
  assert.equal(other.claims.enclave?.register, 'not-extended')
})

test('the bytes of a statement that is being verified are its own', () => {
  const bytes = SIGSTRUCT.slice()
  const sigstruct = parseSigstruct(bytes)
  bytes.fill(0)
  assert.equal(sigstruct.isvSvn, 3)
})
