// What must hold for any bytes: no flipped bit in a signed region is ever accepted, and nothing but a Refusal
// comes out, soon.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AMD_ANCHORS } from '../../src/amd/anchors.ts'
import { encodeCertTable } from '../../src/amd/cert-table.ts'
import { parseSnpEvidence } from '../../src/amd/evidence.ts'
import { encodeSnpReport, SNP_REPORT_SIZE, type SnpReportFields } from '../../src/amd/report.ts'
import { verifySnp } from '../../src/amd/verify.ts'
import { Refusal } from '../../src/refusal.ts'
import { leavesOf, readSnpVectors, type SnpVector, skipVectors } from './vectors.ts'

const LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const RUNS_PER_VECTOR = LONG ? 2000 : 25
const MUTATIONS = LONG ? 20_000 : 1500
/** The last byte of s that is not padding. */
const SIGNATURE_END = 0x2a0 + 72 + 48
const MAX_CPU_MS = 50

const valid = readSnpVectors().filter(
  vector => vector.files.has('report.bin') && vector.expectedVerdict.startsWith('cryptographically VALID'),
)

function reportOf(vector: SnpVector): Uint8Array {
  return vector.files.get('report.bin') ?? new Uint8Array(0)
}

async function isAccepted(vector: SnpVector, bytes: Uint8Array): Promise<boolean> {
  try {
    await verifySnp(
      parseSnpEvidence(bytes),
      { certificates: leavesOf(vector), crls: [] },
      { now: vector.suggestedTime ?? new Date(0), anchors: AMD_ANCHORS },
    )
    return true
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return false
  }
}

for (const vector of valid) {
  test(`no flipped bit of ${vector.name} is accepted`, async () => {
    assert.ok(await isAccepted(vector, reportOf(vector)))
    await fc.assert(
      fc.asyncProperty(fc.nat(SIGNATURE_END * 8 - 1), async position => {
        const bytes = new Uint8Array(reportOf(vector))
        bytes[position >>> 3] = (bytes[position >>> 3] ?? 0) ^ (1 << (position & 7))
        assert.equal(await isAccepted(vector, bytes), false)
      }),
      { numRuns: RUNS_PER_VECTOR },
    )
  })
}

test('a mutated or cut report with its certificates is refused soon, or parses', {
  skip: skipVectors,
}, async () => {
  const samples = valid.map(vector => {
    const [leaf] = leavesOf(vector)
    assert.ok(leaf)
    const type = vector.meta.report?.['signing_key'] === 'VLEK' ? 'VLEK' : 'VCEK'
    const table = encodeCertTable([{ type, bytes: leaf.der }])
    const bytes = new Uint8Array([...reportOf(vector), ...table])
    return { bytes, now: vector.suggestedTime ?? new Date(0) }
  })
  const mutation = fc.record({
    index: fc.nat(samples.length - 1),
    edits: fc.array(fc.tuple(fc.nat(SNP_REPORT_SIZE + 1600), fc.nat(255)), { maxLength: 8 }),
    size: fc.option(fc.nat(SNP_REPORT_SIZE + 1600)),
  })
  await fc.assert(
    fc.asyncProperty(mutation, async ({ index, edits, size }) => {
      const sample = samples[index]
      assert.ok(sample)
      const bytes = new Uint8Array(sample.bytes)
      for (const [offset, value] of edits) if (offset < bytes.length) bytes[offset] = value
      const cut = bytes.subarray(0, size ?? bytes.length)
      const options = { now: sample.now, anchors: AMD_ANCHORS }
      await onlyRefuses(() => verifySnp(parseSnpEvidence(cut), { certificates: [], crls: [] }, options))
    }),
    { numRuns: MUTATIONS },
  )
})

test('any bytes at all are refused soon', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), async bytes => {
      await onlyRefuses(async () => parseSnpEvidence(bytes))
    }),
    { numRuns: MUTATIONS },
  )
})

// CPU time, since other work shares the machine; twice, since the collector may have its turn in the first.
async function onlyRefuses(work: () => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage()
    try {
      await work()
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error))
    }
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1000)
    if (Math.min(...times) < MAX_CPU_MS) return
  }
  assert.fail(`${Math.min(...times)} ms of CPU time`)
}

const bytesOf = (size: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: size, maxLength: size })
const u8 = fc.nat(255)
const versionArbitrary = fc.record({ major: u8, minor: u8, build: u8 }, { noNullPrototype: true })
const reportArbitrary: fc.Arbitrary<SnpReportFields> = fc
  .record(
    {
      version: fc.constantFrom(2 as const, 3 as const, 4 as const, 5 as const),
      guestSvn: fc.nat(0xffff_ffff),
      policy: fc.bigInt(0n, 0x3ff_ffffn).map(policy => policy | (1n << 17n)),
      familyId: bytesOf(16),
      imageId: bytesOf(16),
      vmpl: fc.nat(3),
      currentTcb: bytesOf(8),
      platformInfo: fc.bigInt(0n, (1n << 64n) - 1n),
      keyInfo: fc.nat(7),
      reportData: bytesOf(64),
      measurement: bytesOf(48),
      hostData: bytesOf(32),
      idKeyDigest: bytesOf(48),
      authorKeyDigest: bytesOf(48),
      reportId: bytesOf(32),
      reportIdMa: bytesOf(32),
      reportedTcb: bytesOf(8),
      cpuid: fc.record({ family: u8, model: u8, stepping: u8 }, { noNullPrototype: true }),
      chipId: bytesOf(64),
      committedTcb: bytesOf(8),
      currentVersion: versionArbitrary,
      committedVersion: versionArbitrary,
      launchTcb: bytesOf(8),
      launchMitVector: fc.bigInt(0n, (1n << 64n) - 1n),
      currentMitVector: fc.bigInt(0n, (1n << 64n) - 1n),
      signatureR: bytesOf(48).map(r => new Uint8Array([...r, ...new Uint8Array(24)])),
      signatureS: bytesOf(48).map(s => new Uint8Array([...s, ...new Uint8Array(24)])),
    },
    { noNullPrototype: true },
  )
  .map(fields => ({
    ...fields,
    cpuid: fields.version === 2 ? null : fields.cpuid,
    launchMitVector: fields.version === 5 ? fields.launchMitVector : null,
    currentMitVector: fields.version === 5 ? fields.currentMitVector : null,
  }))

test('every field of every version survives encoding and parsing', () => {
  fc.assert(
    fc.property(reportArbitrary, fields => {
      const { report, certificates } = parseSnpEvidence(encodeSnpReport(fields))
      const { bytes, ...parsed } = report
      assert.equal(bytes.length, SNP_REPORT_SIZE)
      assert.deepEqual(certificates, [])
      assert.deepEqual(parsed, fields)
    }),
    { numRuns: 200 },
  )
})
