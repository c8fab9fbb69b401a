// Evidence by way of Linux: what the kernel gives verifies, and whatever goes wrong on the way has its code and leaves
// nothing behind.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Claims,
  encodeCertTable,
  parse,
  parseKbsEvidence,
  readEndorsements,
  verify,
} from '@casemate/evidence'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import { kbsAttester } from '../../src/attesting/kbs.ts'
import { openTsmDriver, TSM_TRIES, type TsmDriverOptions } from '../../src/attesting/tsm.ts'
import { EnclaveError } from '../../src/errors.ts'
import { rejectsCode } from '../expect-code.ts'
import { errno, type KernelOptions, TsmKernel } from './kernel.ts'

const NOW = new Date('2026-11-25T12:00:00Z')
const REPORT_DATA = Uint8Array.from({ length: 64 }, (_, index) => 255 - index)

let intel: IntelPlatform
let amd: AmdPlatform

before(async () => {
  intel = await createIntelPlatform({ now: NOW })
  amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
})

const TDX: Pick<KernelOptions, 'provider' | 'sign'> = {
  provider: 'tdx_guest',
  sign: reportData => intel.tdxQuote({ reportData }),
}
const SNP: Pick<KernelOptions, 'provider' | 'sign'> = {
  provider: 'sev_guest',
  sign: (reportData, vmpl) => amd.snpReport({ reportData, vmpl }),
}

/** The driver's waits between its tries. */
function tdx(changes: Partial<KernelOptions> = {}, options: Partial<TsmDriverOptions> = {}) {
  const kernel = new TsmKernel({ ...TDX, ...changes })
  const pauses: number[] = []
  const wait = async (milliseconds: number): Promise<void> => void pauses.push(milliseconds)
  const driver = openTsmDriver({ provider: 'tdx_guest', files: kernel, wait, ...options })
  return { kernel, driver, pauses }
}

function snp(changes: Partial<KernelOptions> = {}, options: Partial<TsmDriverOptions> = {}) {
  const kernel = new TsmKernel({ ...SNP, ...changes })
  return { kernel, driver: openTsmDriver({ provider: 'sev_guest', files: kernel, ...options }) }
}

async function claimsOf(evidence: ReturnType<typeof parse>): Promise<Claims> {
  const { anchors, endorsements } = evidence.kind === 'snp' ? amd : intel
  const options = { now: NOW, anchors, minTcbEvaluationDataNumber: 'any' } as const
  return (await verify(evidence, readEndorsements(endorsements), options)).claims
}

test('a TD’s quote verifies, has our report data, and leaves no entry behind', async () => {
  const { kernel, driver } = tdx()
  const quote = await driver.quote(REPORT_DATA)
  const claims = await claimsOf(parse(quote.evidence))
  assert.equal(claims.kind, 'tdx')
  assert.equal(claims.reportData, Buffer.from(REPORT_DATA).toString('hex'))
  assert.equal(quote.certificateTable, null)
  assert.equal(driver.simulated, false)
  assert.equal(kernel.entries.size, 0)
})

test('an SNP report verifies as guests send it, with the leaf out of the host’s certificate table', async () => {
  const leaf = amd.endorsements.find(one => one.name === 'leaf.der')
  assert.ok(leaf)
  const auxblob = encodeCertTable([
    { type: 'ARK', bytes: Uint8Array.of(1) },
    { type: 'VCEK', bytes: leaf.bytes },
  ])
  const { kernel, driver } = snp({ auxblob })
  const sent = JSON.parse(JSON.stringify(await kbsAttester(driver, null).evidence(REPORT_DATA)))
  assert.equal(sent.cert_chain.length, 1)
  const { anchors, endorsements } = amd
  const without = readEndorsements(endorsements.filter(one => one.name !== 'leaf.der'))
  const options = { now: NOW, anchors, minTcbEvaluationDataNumber: 'any' } as const
  const { claims } = await verify(parseKbsEvidence('snp', sent), without, options)
  assert.equal(claims.reportData, Buffer.from(REPORT_DATA).toString('hex'))
  assert.equal(kernel.entries.size, 0)
})

test('a host without certificates leaves the table out', async () => {
  assert.equal((await snp().driver.quote(REPORT_DATA)).certificateTable, null)
})

test('an SNP guest asks at the most privileged level that it has, or at the one that it is told', async () => {
  const vmplOf = async (driver: ReturnType<typeof snp>['driver']): Promise<number> => {
    const evidence = parse((await driver.quote(REPORT_DATA)).evidence)
    assert.ok(evidence.kind === 'snp')
    return evidence.report.vmpl
  }
  assert.equal(await vmplOf(snp().driver), 0)
  assert.equal(await vmplOf(snp({ floor: 2 }).driver), 2)
  assert.equal(await vmplOf(snp({ floor: 1 }, { privilegeLevel: 3 }).driver), 3)
  await rejectsCode('attestation-failed', snp({ floor: 2 }, { privilegeLevel: 1 }).driver.quote(REPORT_DATA))
})

test('a privilege level that no provider has is refused', () => {
  for (const options of [
    { provider: 'sev_guest', privilegeLevel: 4 },
    { provider: 'sev_guest', privilegeLevel: 0.5 },
    { provider: 'tdx_guest', privilegeLevel: 0 },
  ] as const) {
    assert.throws(
      () => openTsmDriver(options),
      error => error instanceof EnclaveError && error.code === 'invalid-parameter',
    )
  }
})

test('requests at the same time do not touch each other', async () => {
  const { kernel, driver } = tdx({ signingMs: 5 })
  const all = Array.from({ length: 8 }, (_, index) => new Uint8Array(64).fill(index))
  const quotes = await Promise.all(all.map(reportData => driver.quote(reportData)))
  for (const [index, quote] of quotes.entries()) {
    assert.equal((await claimsOf(parse(quote.evidence))).reportData, Buffer.from(all[index]!).toString('hex'))
  }
  assert.equal(new Set(kernel.made).size, 8)
  assert.equal(kernel.entries.size, 0)
})

test('report data that the caller changes meanwhile is what it was when asked', async () => {
  const own = REPORT_DATA.slice()
  const asking = tdx({ signingMs: 5 }).driver.quote(own)
  own.fill(0)
  assert.equal(
    (await claimsOf(parse((await asking).evidence))).reportData,
    Buffer.from(REPORT_DATA).toString('hex'),
  )
})

for (const failure of ['EBUSY', 'EINTR', 'EAGAIN', 'ETIMEDOUT']) {
  test(`${failure} is tried again, with longer and longer pauses`, async () => {
    const { kernel, driver, pauses } = tdx({ failures: [failure, failure] })
    assert.ok(await driver.quote(REPORT_DATA))
    assert.deepEqual(pauses, [100, 200])
    assert.equal(kernel.made.length, 3)
    assert.equal(kernel.entries.size, 0)
  })
}

test('a platform that is always busy is given up, and says so', async () => {
  const { kernel, driver } = tdx({ failures: Array.from({ length: 99 }, () => 'EBUSY') })
  await rejectsCode('attestation-busy', driver.quote(REPORT_DATA))
  assert.equal(kernel.made.length, TSM_TRIES)
  assert.equal(kernel.entries.size, 0)
})

for (const failure of ['EINVAL', 'EIO', 'ENOTTY', 'ENXIO', 'EFBIG', 'EWHATEVER']) {
  test(`${failure} is final, and the entry goes`, async () => {
    const { kernel, driver } = tdx({ failures: [failure] })
    await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
    assert.equal(kernel.made.length, 1)
    assert.equal(kernel.entries.size, 0)
  })
}

test('somebody who writes report data of his own meanwhile is noticed by the generation, and we ask anew', async () => {
  let intrusions = 1
  const { kernel, driver } = tdx({
    meanwhile: entry => {
      if (intrusions-- <= 0) return
      entry.inblob = new Uint8Array(64).fill(0x66)
      entry.written++
    },
  })
  const quote = await driver.quote(REPORT_DATA)
  assert.equal((await claimsOf(parse(quote.evidence))).reportData, Buffer.from(REPORT_DATA).toString('hex'))
  assert.equal(kernel.made.length, 2)
})

test('somebody who always does is not given our name', async () => {
  const { driver } = tdx({
    meanwhile: entry => {
      entry.inblob = new Uint8Array(64).fill(0x66)
      entry.written++
    },
  })
  await rejectsCode('attestation-busy', driver.quote(REPORT_DATA))
})

test('a kernel that signs other report data without anybody writing is not believed', async () => {
  const { driver, kernel } = tdx({
    sign: () => intel.tdxQuote({ reportData: new Uint8Array(64).fill(0x66) }),
  })
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
  assert.equal(kernel.made.length, 1)
})

test('a write that the kernel drops in silence is noticed', async () => {
  const { driver, kernel } = tdx({ dropped: { count: 1 } })
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
  assert.equal(kernel.entries.size, 0)
})

test('a generation that wraps around is no race', async () => {
  assert.ok(await tdx({ generation: (1n << 64n) - 1n }).driver.quote(REPORT_DATA))
  assert.ok(await snp({ generation: (1n << 64n) - 1n, floor: 0 }).driver.quote(REPORT_DATA))
})

test('a slow quote is waited for', async () => {
  assert.ok(await tdx({ signingMs: 300 }).driver.quote(REPORT_DATA))
})

/** Waits until the last entry is gone, for half a minute at most. */
async function emptied(kernel: TsmKernel): Promise<void> {
  for (let tries = 0; kernel.entries.size > 0 && tries < 3_000; tries++) await sleep(10)
  assert.equal(kernel.entries.size, 0)
}

test('a quote that does not come is given up in time, and its entry goes when the kernel lets go of it', async () => {
  const { kernel, driver } = tdx({ signingMs: 80 }, { timeoutMs: 10 })
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
  assert.equal(kernel.entries.size, 1)
  await emptied(kernel)
  assert.equal(kernel.made.length, 1)
})

test('after the time is over nothing is asked anew', async () => {
  const { kernel, driver } = tdx({ signingMs: 60, failures: ['EBUSY'] }, { timeoutMs: 10 })
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
  await emptied(kernel)
  assert.equal(kernel.made.length, 1)
})

test('evidence of no bytes, of too many, of another kind and of nonsense is refused', async () => {
  for (const evidence of [
    new Uint8Array(),
    new Uint8Array(32 * 1024 + 1),
    Uint8Array.of(1, 2, 3),
    new Uint8Array(1184),
    amd.snpReport({ reportData: REPORT_DATA }),
    intel.sgxQuote({ reportData: REPORT_DATA }),
  ]) {
    const { kernel, driver } = tdx({ sign: () => evidence })
    await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
    assert.equal(kernel.entries.size, 0)
  }
})

test('another provider than the wanted one is named before anything is written', async () => {
  const { kernel, driver } = tdx({ provider: 'arm_cca_guest' })
  await assert.rejects(driver.quote(REPORT_DATA), (error: EnclaveError) => {
    assert.deepEqual(
      [error.code, error.expected, error.got],
      ['attestation-failed', 'tdx_guest', 'arm_cca_guest'],
    )
    return true
  })
  assert.equal(kernel.entries.size, 0)
})

for (const [failure, words] of [
  ['ENXIO', /Azure/],
  ['ENOENT', /mount configfs/],
  ['ENOTDIR', /mount configfs/],
  ['EACCES', /root/],
  ['EPERM', /root/],
  ['EROFS', /rw/],
] as const) {
  test(`a kernel that answers ${failure} to a new entry has no reports for us, and the hint says why`, async () => {
    const kernel = new TsmKernel(TDX)
    const files = kernel.but({ makeDirectory: async () => Promise.reject(errno(failure)) })
    const driver = openTsmDriver({ provider: 'tdx_guest', files })
    await assert.rejects(driver.quote(REPORT_DATA), (error: EnclaveError) => {
      assert.equal(error.code, 'attestation-unavailable')
      assert.match(error.hint ?? '', words)
      return true
    })
  })
}

test('an entry that cannot be removed does not cost us the evidence, nor does it hide a failure', async () => {
  const kernel = new TsmKernel({ ...TDX, failures: [] })
  const stuck = { removeDirectory: async () => Promise.reject(errno('EBUSY')) }
  const files = kernel.but(stuck)
  assert.ok(await openTsmDriver({ provider: 'tdx_guest', files }).quote(REPORT_DATA))
  const unwritable = kernel.but({ ...stuck, write: async () => Promise.reject(errno('EACCES')) })
  const driver = openTsmDriver({ provider: 'tdx_guest', files: unwritable })
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
})

test('a certificate table that is none, or too large, is the host’s fault by name', async () => {
  for (const auxblob of [
    Uint8Array.of(1, 2, 3),
    new Uint8Array(64 * 1024 + 1),
    new Uint8Array(1024).fill(7),
  ]) {
    const { kernel, driver } = snp({ auxblob })
    await assert.rejects(driver.quote(REPORT_DATA), /certificate table/)
    assert.equal(kernel.entries.size, 0)
  }
})

test('report data of another size is refused before the kernel is asked', async () => {
  const { kernel, driver } = tdx()
  for (const size of [0, 48, 65]) await rejectsCode('invalid-parameter', driver.quote(new Uint8Array(size)))
  assert.equal(kernel.made.length, 0)
})

const VECTORS =
  process.env['CASEMATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../../shared/vectors')
const skip = existsSync(VECTORS) ? false : 'captured evidence is absent (CASEMATE_VECTORS)'

for (const [provider, file] of [
  ['tdx_guest', 'tdx'],
  ['sev_guest', 'snp'],
] as const) {
  test(`evidence that ${provider} gave on real machines passes as what it was asked for, and as nothing else`, {
    skip,
  }, async () => {
    let seen = 0
    for (const evidence of captured(file)) {
      const parsed = parse(evidence)
      const reportData =
        parsed.kind === 'snp'
          ? parsed.report.reportData
          : parsed.kind === 'tdx'
            ? parsed.body.reportData
            : null
      if (reportData === null) continue
      const files = new TsmKernel({ provider, sign: () => evidence })
      const driver = openTsmDriver({ provider, files })
      assert.deepEqual(Buffer.from((await driver.quote(reportData)).evidence), Buffer.from(evidence))
      await rejectsCode('attestation-failed', driver.quote(new Uint8Array(64).fill(0xa5)))
      seen++
    }
    assert.ok(seen >= 2, `${seen}`)
  })
}

/** Binary evidence of these machines that parses; some captures are cut or wrapped. */
function* captured(family: string): Generator<Uint8Array> {
  for (const name of readdirSync(resolve(VECTORS, family))) {
    for (const file of ['quote.bin', 'report.bin']) {
      const path = resolve(VECTORS, family, name, file)
      if (!existsSync(path)) continue
      const bytes = new Uint8Array(readFileSync(path))
      const evidence = family === 'snp' ? bytes.slice(0, 1184) : bytes
      try {
        parse(evidence)
      } catch {
        continue
      }
      yield evidence
    }
  }
}
