// What must hold for any bytes: no flipped bit of what is signed is ever accepted, and whatever is changed, a Refusal
// comes out, soon. On simulated quotes always, on every captured quote that verifies where those are present.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import * as fc from 'fast-check'
import { concat, decodeUtf8, encodeUtf8, toBase64 } from '../../src/bytes.ts'
import {
  type Endorsements,
  parse,
  Refusal,
  readEndorsements,
  recognise,
  type SgxQuote,
  type TdxQuote,
  type TrustAnchor,
  VENDOR_ANCHORS,
  verify,
} from '../../src/index.ts'
import { readPem } from '../../src/x509.ts'
import { readIntelVectors, suggestedEndorsements } from './vectors.ts'

const LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const FLIPS_PER_QUOTE = LONG ? 3000 : 60
const MUTATIONS = LONG ? 20_000 : 1200
/** CPU time of this thread for one input, however hostile. */
const MAX_CPU_MS = 50

interface Subject {
  readonly name: string
  readonly bytes: Uint8Array
  readonly endorsements: Endorsements
  readonly anchors: readonly TrustAnchor[]
  readonly now: Date
}

const NOW = new Date('2026-11-22T12:00:00Z')
const platform = await createIntelPlatform({ now: NOW })
const reportData = new Uint8Array(64).fill(7)

const simulated: readonly Subject[] = [
  ['SGX version 3', platform.sgxQuote({ reportData })],
  ['TDX version 4', platform.tdxQuote({ reportData })],
  ['TDX version 5, body 1.0', platform.tdxQuote({ reportData, format: 'v5-1.0' })],
  ['TDX version 5, body 1.5', platform.tdxQuote({ reportData, format: 'v5-1.5' })],
].map(([name, bytes]) => ({
  name: `simulated ${String(name)}`,
  bytes: bytes as Uint8Array,
  endorsements: readEndorsements(platform.endorsements),
  anchors: platform.anchors,
  now: NOW,
}))

const captured: Subject[] = []
for (const kind of ['sgx', 'tdx'] as const) {
  for (const vector of readIntelVectors(kind)) {
    if (!vector.meta.suggested_time) continue
    const subject = {
      name: `${kind}/${vector.name}`,
      bytes: vector.quote,
      endorsements: suggestedEndorsements(vector),
      anchors: VENDOR_ANCHORS,
      now: new Date(vector.meta.suggested_time),
    }
    if (await isAccepted(subject, subject.bytes)) captured.push(subject)
  }
}
const subjects = [...simulated, ...captured]

async function isAccepted(subject: Subject, input: Uint8Array | SgxQuote | TdxQuote): Promise<boolean> {
  const { endorsements, anchors, now } = subject
  try {
    const evidence = input instanceof Uint8Array ? parse(input) : input
    await verify(evidence, endorsements, { now, anchors, minTcbEvaluationDataNumber: 'any' })
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

function parsedQuote(bytes: Uint8Array): SgxQuote | TdxQuote {
  const quote = parse(bytes)
  assert.ok(quote.kind === 'sgx' || quote.kind === 'tdx')
  return quote
}

/** Offsets of all bytes that some signature or hash covers, and of the signatures. */
function signedOffsets(quote: SgxQuote | TdxQuote): readonly number[] {
  const regions = [
    quote.signed,
    quote.signature,
    quote.attestationKey,
    quote.qeReport.bytes,
    quote.qeReportSignature,
    quote.qeAuthenticationData,
  ]
  return regions.flatMap(({ byteOffset, length }) => Array.from({ length }, (_, index) => byteOffset + index))
}

test('there are quotes to flip bits of', () => {
  for (const { name } of captured) assert.doesNotMatch(name, /corrupted|bad/)
  assert.equal(simulated.length, 4)
})

for (const subject of subjects) {
  test(`no flipped bit of ${subject.name} is accepted`, async () => {
    assert.ok(await isAccepted(subject, subject.bytes))
    const offsets = signedOffsets(parsedQuote(subject.bytes))
    await fc.assert(
      fc.asyncProperty(fc.nat(offsets.length - 1), fc.nat(7), async (index, bit) => {
        const changed = flip(subject.bytes, (offsets[index] ?? 0) * 8 + bit)
        assert.equal(await isAccepted(subject, changed), false, `bit ${bit} of byte ${offsets[index]}`)
      }),
      { numRuns: FLIPS_PER_QUOTE },
    )
  })

  test(`no flipped bit of the certificates in ${subject.name} is accepted`, async () => {
    const quote = parsedQuote(subject.bytes)
    const chain = readPem(decodeUtf8(quote.certificationData) ?? '').map(({ der }) => der)
    await fc.assert(
      fc.asyncProperty(fc.nat(chain.length - 1), fc.nat(), async (which, position) => {
        const changed = chain.map((der, at) => (at === which ? flip(der, position % (der.length * 8)) : der))
        const certificationData = encodeUtf8(changed.map(toPem).join(''))
        assert.equal(await isAccepted(subject, { ...quote, certificationData }), false)
      }),
      { numRuns: FLIPS_PER_QUOTE / 2 },
    )
  })
}

function toPem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${toBase64(der)}\n-----END CERTIFICATE-----\n`
}

/** Each endorsement that the verdict needs, with a changed bit in what its signer signed. */
for (const name of ['tdx-tcb-info.json', 'td-qe-identity.json', 'pck-crl.der', 'root-ca-crl.der'] as const) {
  test(`no flipped bit of ${name} is accepted`, async () => {
    const [, subject] = simulated
    const source = platform.endorsements.find(it => it.name === name)
    assert.ok(subject && source)
    // From the opening brace of the member to the one that closes it; a list is signed as a whole.
    const text = decodeUtf8(source.bytes)
    const start = text === null ? 0 : text.indexOf('{', 1)
    const end = text === null ? source.bytes.length : text.lastIndexOf('},"signature"') + 1
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: start * 8, max: end * 8 - 1 }), async bit => {
        const sources = platform.endorsements.map(it =>
          it.name === name ? { name, bytes: flip(it.bytes, bit) } : it,
        )
        assert.equal(await isAcceptedWith(subject, () => readEndorsements(sources)), false, `bit ${bit}`)
      }),
      { numRuns: FLIPS_PER_QUOTE * 4 },
    )
  })
}

async function isAcceptedWith(subject: Subject, read: () => Endorsements): Promise<boolean> {
  try {
    return await isAccepted({ ...subject, endorsements: read() }, subject.bytes)
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** Changes of a kind that parsers stumble over. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), size: fc.nat() }),
  fc.record({ kind: fc.constant('set' as const), at: fc.nat(), size: fc.nat(255) }),
  fc.record({ kind: fc.constant('zero' as const), at: fc.nat(), size: fc.nat(64) }),
  fc.record({ kind: fc.constant('double' as const), at: fc.nat(), size: fc.nat(5000) }),
  fc.record({ kind: fc.constant('number' as const), at: fc.nat(), size: fc.nat(0xffff_ffff) }),
)

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(bytes: Uint8Array, { kind, at, size }: Mutation): Uint8Array {
  const offset = at % (bytes.length || 1)
  const changed = Uint8Array.from(bytes)
  switch (kind) {
    case 'cut':
      return changed.subarray(0, offset)
    case 'set':
      changed[offset] = size
      return changed
    case 'zero':
      return changed.fill(0, offset, offset + size)
    case 'double':
      return concat(changed.subarray(0, offset), changed.subarray(0, size), changed.subarray(offset))
    case 'number':
      if (offset + 4 <= changed.length) new DataView(changed.buffer).setUint32(offset, size, true)
      return changed
    default:
      return kind satisfies never
  }
}

/** CPU time of this thread; another process on the machine is not the input's fault, nor is one collection of garbage. */
async function assertSoon(work: () => Promise<unknown>): Promise<void> {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3 && least > MAX_CPU_MS; attempt++) {
    const before = process.threadCpuUsage()
    await work()
    const { user, system } = process.threadCpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  assert.ok(least <= MAX_CPU_MS, `took ${least} ms of CPU`)
}

test('a mutated quote is accepted or refused with a Refusal, soon', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(subjects.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (which, mutations) => {
        const subject = subjects[which]
        assert.ok(subject)
        const changed = mutations.reduce(mutate, subject.bytes)
        await assertSoon(() => isAccepted(subject, changed))
      },
    ),
    { numRuns: MUTATIONS },
  )
})

test('a mutated endorsement is read or refused with a Refusal, soon', async () => {
  const { endorsements: sources } = platform
  await fc.assert(
    fc.asyncProperty(
      fc.nat(sources.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (which, mutations) => {
        const bytes = mutations.reduce(mutate, sources[which]?.bytes ?? new Uint8Array())
        await assertSoon(async () => refusedOr(() => readEndorsements([{ name: 'mutated', bytes }])))
      },
    ),
    { numRuns: MUTATIONS },
  )
})

test('arbitrary bytes and texts are refused as evidence with a Refusal, soon', async () => {
  const head = fc.constantFrom(
    [3, 0, 2, 0, 0, 0, 0, 0],
    [4, 0, 2, 0, 0x81, 0, 0, 0],
    [5, 0, 2, 0, 0x81, 0, 0, 0],
    [2, 0, 0, 0],
    [],
  )
  await fc.assert(
    fc.asyncProperty(head, fc.uint8Array({ maxLength: 6000 }), fc.string(), async (start, rest, text) => {
      const bytes = concat(new Uint8Array(start), rest)
      await assertSoon(async () => refusedOr(() => parse(bytes)))
      await assertSoon(async () => refusedOr(() => recognise(encodeUtf8(text))))
      await assertSoon(async () =>
        refusedOr(() => readEndorsements([{ name: 'text', bytes: encodeUtf8(text) }])),
      )
    }),
    { numRuns: MUTATIONS / 4 },
  )
})

function refusedOr(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}

test('certificates made to keep a path builder busy are refused soon', async () => {
  const [, subject] = simulated
  assert.ok(subject)
  const quote = parsedQuote(subject.bytes)
  const [pck, intermediate, root] = readPem(decodeUtf8(quote.certificationData) ?? '').map(({ der }) => der)
  assert.ok(pck && intermediate && root)
  // Authorities of one name, all with signatures that are not theirs.
  const decoys = Array.from({ length: 5 }, (_, index) =>
    flip(intermediate, (intermediate.length - 1 - index) * 8),
  )
  for (const chain of [
    [pck, ...decoys, intermediate, root],
    [pck, ...decoys, root],
    [...decoys, root, root, pck],
    Array.from({ length: 8 }, () => intermediate),
    Array.from({ length: 64 }, () => pck),
  ]) {
    const certificationData = encodeUtf8(chain.map(toPem).join(''))
    await assertSoon(() => isAccepted(subject, { ...quote, certificationData }))
    assert.equal(await isAccepted(subject, { ...quote, certificationData }), false)
  }
  const begin = encodeUtf8('-----BEGIN CERTIFICATE-----'.repeat(2400))
  await assertSoon(() => isAccepted(subject, { ...quote, certificationData: begin }))
})
