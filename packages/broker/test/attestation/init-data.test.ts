import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sgxKbsEvidence, tdxKbsEvidence } from '@casemate/evidence'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import * as jose from 'jose'
import { readInitData } from '../../src/attestation/init-data.ts'
import { BrokerError } from '../../src/errors.ts'
import { assertRefused } from '../kbs/answers.ts'
import { Guest, type GuestOptions } from '../kbs/guest.ts'
import { GUEST_KEYS } from '../kbs/guest-jwe.ts'
import { type Harness, LENIENT, openHarness, START } from '../kbs/harness.ts'

const toml = (
  algorithm: string,
  data = '"aa.toml" = """\nkey = 1\n"""\n"policy.rego" = \'\'\'package "x"\'\'\'\n',
): string => `version = "0.1.0"\nalgorithm = "${algorithm}"\n[data]\n${data}`
const digestOf = (algorithm: string, body: string): Buffer => createHash(algorithm).update(body).digest()

test('init-data is read, and its digest is that of the raw text', () => {
  const body = toml('sha384')
  assert.deepEqual(readInitData({ format: 'toml', body }), {
    digest: digestOf('sha384', body).toString('hex'),
    data: { 'aa.toml': 'key = 1\n', 'policy.rego': 'package "x"' },
  })
})

test('the digest counts every byte: white space, comments, order', () => {
  const digests = [toml('sha256'), `${toml('sha256')}\n`, `# a\n${toml('sha256')}`].map(
    body => readInitData({ format: 'toml', body }).digest,
  )
  assert.equal(new Set(digests).size, 3)
})

test('both spellings of a digest are read', () => {
  for (const [name, bytes] of [
    ['sha256', 32],
    ['sha-384', 48],
    ['SHA512', 64],
  ] as const) {
    assert.equal(readInitData({ format: 'toml', body: toml(name) }).digest.length, 2 * bytes)
  }
})

test('a policy of 200 KiB is read, and whatever stands in it', () => {
  const rego = 'a.b["c"] = {1, 2} # \'\'\n'.repeat(9000)
  for (const data of [`'policy.rego' = '''${rego}'''`, `"policy.rego" = ${JSON.stringify(rego)}`]) {
    assert.equal(readInitData({ format: 'toml', body: toml('sha384', data) }).data['policy.rego'], rego)
  }
  const quoted = toml('sha384', 'a = \'\'\'x\'\'\'\'\nb = """x\\"""""\nc = "x\\""\n')
  assert.deepEqual(readInitData({ format: 'toml', body: quoted }).data, { a: "x'", b: 'x""', c: 'x"' })
})

test('what would keep a parser busy is refused unread', () => {
  const refusal = (data: string): string => {
    try {
      readInitData({ format: 'toml', body: toml('sha384', data) })
    } catch (error) {
      assert.ok(error instanceof BrokerError && error.code === 'init-data-invalid')
      return error.message
    }
    return assert.fail('read')
  }
  assert.match(refusal(`a = '${'x'.repeat(256 * 1024)}'`), /larger than/)
  assert.match(refusal(`a = '${'ü'.repeat(128 * 1024)}'`), /larger than/)
  const busy = [
    `a${'.a'.repeat(5000)} = 1`,
    `${'"a".'.repeat(5000)}a = 1`,
    Array.from({ length: 5000 }, (_, n) => `k${n} = ''\n`).join(''),
    Array.from({ length: 5000 }, (_, n) => `[t${n}]\n`).join(''),
    `a = ${'{a='.repeat(5000)}`,
    `a = ${'['.repeat(5000)}`,
    `a = ''''x''''\nb = ${'['.repeat(5000)}`,
    `a = """\\""""""\nb = ${'['.repeat(5000)}`,
    `a = "x\nb = ${'['.repeat(5000)}"`,
    `# '\nb = ${'['.repeat(5000)}'`,
  ]
  for (const data of busy) assert.match(refusal(data), /flat table/, data.slice(0, 40))
})

test('what is no init-data of version 0.1.0 is refused', () => {
  const wrong = [
    '',
    'version = ',
    toml('sm3'),
    toml('md5'),
    toml('sha384').replace('0.1.0', '0.2.0'),
    `extra = 1\n${toml('sha384')}`,
    'version = "0.1.0"\nalgorithm = "sha384"\n',
    'version = "0.1.0"\nalgorithm = "sha384"\ndata = "x"\n',
    'version = "0.1.0"\nalgorithm = 384\n[data]\n',
    toml('sha384', 'a = 1\n'),
    toml('sha384', '[data.nested]\na = "b"\n'),
    toml('sha384', 'a = "1"\na = "2"\n'),
  ]
  for (const body of wrong) {
    assert.throws(
      () => readInitData({ format: 'toml', body }),
      (error: unknown) => error instanceof BrokerError && error.code === 'init-data-invalid',
      body,
    )
  }
  assert.throws(() => readInitData({ format: 'json', body: '{}' }), /its format is not toml/)
})

let intel: IntelPlatform
let amd: AmdPlatform
let broker: Harness
let lenient: Harness

before(async () => {
  intel = await createIntelPlatform({ now: START })
  amd = await createAmdPlatform({ now: START, modulusBits: 2048 })
  const platforms = [intel, amd]
  broker = await openHarness({ platforms, policy: { ...LENIENT, initData: 'bound' } })
  lenient = await openHarness({ platforms })
})

after(async () => {
  await broker.close()
  await lenient.close()
})

/** Fitted as the specification has it: cut off, or filled up with zeros. */
const fit = (digest: Buffer, size: number): Buffer =>
  Buffer.concat([digest, Buffer.alloc(64)]).subarray(0, size)

const evidence = {
  tdx: (digest: Buffer) => (reportData: Buffer) =>
    tdxKbsEvidence(intel.tdxQuote({ reportData, mrConfigId: fit(digest, 48) })),
  snp: (digest: Buffer) => (reportData: Buffer) =>
    amd.kbsEvidence(amd.snpReport({ reportData, hostData: fit(digest, 32) })),
  sgx: (digest: Buffer) => (reportData: Buffer) =>
    sgxKbsEvidence(intel.sgxQuote({ reportData, configId: fit(digest, 64) })),
} as const

const newGuest = (options: Partial<GuestOptions>): Guest =>
  new Guest({
    app: broker.app,
    key: GUEST_KEYS['P-256'](),
    tee: 'tdx',
    evidence: evidence.tdx(Buffer.alloc(48)),
    ...options,
  })

const REFUSED = { status: 401, variant: 'AttestationError', code: 'appraisal-refused' }

for (const tee of ['tdx', 'snp', 'sgx'] as const) {
  for (const algorithm of ['sha256', 'sha384', 'sha512']) {
    test(`init-data with ${algorithm} that ${tee} was started with is accepted`, async () => {
      const initData = toml(algorithm)
      const guest = newGuest({ tee, evidence: evidence[tee](digestOf(algorithm, initData)), initData })
      const answer = await guest.handshake()
      assert.equal(answer.status, 200, answer.text)
    })
  }

  test(`init-data that ${tee} was not started with is refused, also where the policy asks for none`, async () => {
    for (const { app } of [broker, lenient]) {
      const guest = newGuest({
        app,
        tee,
        evidence: evidence[tee](Buffer.alloc(64, 1)),
        initData: toml('sha384'),
      })
      assertRefused(await guest.handshake(), REFUSED)
    }
  })
}

test('a guest that sends none is refused where the policy asks for it, and accepted elsewhere', async () => {
  const bound = evidence.tdx(digestOf('sha384', toml('sha384')))
  assertRefused(await newGuest({ evidence: bound }).handshake(), REFUSED)
  assert.equal((await newGuest({ app: lenient.app, evidence: bound }).handshake()).status, 200)
})

test('init-data that is malformed is refused as such', async () => {
  const answer = await newGuest({ initData: 'version = 1' }).handshake()
  assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'init-data-invalid' })
})

test('small init-data is in the token, large init-data by its digest alone', async () => {
  for (const [data, present] of [
    ['a = "b"\n', true],
    [`a = "${'x'.repeat(20_000)}"\n`, false],
  ] as const) {
    const initData = toml('sha384', data)
    const guest = newGuest({ evidence: evidence.tdx(digestOf('sha384', initData)), initData })
    await guest.handshake()
    const { submods } = jose.decodeJwt(guest.token) as { submods: { cpu0: Record<string, unknown> } }
    const annotated = submods.cpu0['ear.veraison.annotated-evidence'] as Record<string, unknown>
    assert.equal('init_data_claims' in annotated, present)
    assert.equal(annotated['init_data'], digestOf('sha384', initData).toString('hex'))
  }
})
