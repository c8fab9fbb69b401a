// Gramine's pseudo-files: taken in turns, and never believed when they answer somebody else.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, readEndorsements, verify } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { openGramineDriver } from '../../src/attesting/gramine.ts'
import type { PlatformFiles } from '../../src/attesting/platform-files.ts'
import { EnclaveError } from '../../src/errors.ts'
import { rejectsCode } from '../expect-code.ts'
import { errno } from './kernel.ts'

const NOW = new Date('2026-11-25T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(3)
let intel: IntelPlatform

before(async () => {
  intel = await createIntelPlatform({ now: NOW })
})

interface Gramine {
  readonly type?: string
  readonly quoteMs?: number
  /** Who else writes while we wait for the quote. */
  readonly intruder?: () => Uint8Array | null
  readonly quote?: (reportData: Uint8Array) => Uint8Array
  readonly failure?: string
}

/** One set of files for the whole process, as the LibOS keeps it. */
function gramine({ type = 'dcap', quoteMs = 0, intruder, quote, failure }: Gramine = {}) {
  let held: Uint8Array = new Uint8Array(64)
  const writes: Uint8Array[] = []
  const refuse = async (): Promise<never> => Promise.reject(errno('EACCES'))
  const files: PlatformFiles = {
    read: async path => {
      if (basename(path) === 'attestation_type') return new TextEncoder().encode(type)
      if (basename(path) !== 'quote') return refuse()
      await sleep(quoteMs)
      held = intruder?.() ?? held
      if (failure !== undefined) throw errno(failure)
      return quote?.(held) ?? intel.sgxQuote({ reportData: held })
    },
    write: async (path, bytes) => {
      if (basename(path) !== 'user_report_data') await refuse()
      held = bytes.slice()
      writes.push(held)
    },
    makeDirectory: refuse,
    removeDirectory: refuse,
    isThere: async () => true,
  }
  return { files, writes }
}

async function reportDataOf(evidence: Uint8Array): Promise<string> {
  const { anchors, endorsements } = intel
  const options = { now: NOW, anchors, minTcbEvaluationDataNumber: 'any' } as const
  return (await verify(parse(evidence), readEndorsements(endorsements), options)).claims.reportData
}

test('a quote verifies and has our report data', async () => {
  const driver = await openGramineDriver(gramine())
  const quote = await driver.quote(REPORT_DATA)
  assert.equal(quote.kind, 'sgx')
  assert.equal(await reportDataOf(quote.evidence), '03'.repeat(64))
})

test('everybody in this process takes turns, through whichever driver', async () => {
  const { files } = gramine({ quoteMs: 3 })
  const drivers = [await openGramineDriver({ files }), await openGramineDriver({ files })]
  const asked = Array.from({ length: 6 }, (_, index) => new Uint8Array(64).fill(index))
  const quotes = await Promise.all(asked.map((reportData, index) => drivers[index % 2]!.quote(reportData)))
  for (const [index, quote] of quotes.entries()) {
    assert.equal(await reportDataOf(quote.evidence), Buffer.from(asked[index]!).toString('hex'))
  }
})

test('a failed turn is nobody else’s', async () => {
  const { files } = gramine()
  let failing = true
  const flaky = {
    ...files,
    write: async (path: string, bytes: Uint8Array) => {
      if (failing) {
        failing = false
        throw errno('EIO')
      }
      await files.write(path, bytes)
    },
  }
  const driver = await openGramineDriver({ files: flaky })
  const [first, second] = await Promise.allSettled([driver.quote(REPORT_DATA), driver.quote(REPORT_DATA)])
  assert.equal(first.status, 'rejected')
  assert.equal(second.status, 'fulfilled')
})

test('a quote with the report data of somebody who does not take turns is asked for again, and given up', async () => {
  let intrusions = 2
  const other = new Uint8Array(64).fill(9)
  const passing = gramine({ intruder: () => (intrusions-- > 0 ? other : null) })
  const driver = await openGramineDriver(passing)
  assert.equal(await reportDataOf((await driver.quote(REPORT_DATA)).evidence), '03'.repeat(64))
  assert.equal(passing.writes.length, 3)
  await rejectsCode(
    'attestation-busy',
    (await openGramineDriver(gramine({ intruder: () => other }))).quote(REPORT_DATA),
  )
})

test('Gramine without remote attestation is explained', async () => {
  for (const type of ['none', 'epid', '']) {
    await assert.rejects(openGramineDriver(gramine({ type })), (error: EnclaveError) => {
      assert.equal(error.code, 'attestation-unavailable')
      assert.match(error.hint ?? '', /sgx\.remote_attestation = "dcap"/)
      return true
    })
  }
})

test('what is no SGX quote is refused', async () => {
  for (const quote of [
    () => new Uint8Array(),
    () => new Uint8Array(432),
    (reportData: Uint8Array) => intel.tdxQuote({ reportData }),
  ]) {
    await rejectsCode('attestation-failed', (await openGramineDriver(gramine({ quote }))).quote(REPORT_DATA))
  }
})

test('a quoting service that fails, or never answers, has its code', async () => {
  for (const failure of ['EIO', 'EPERM', 'EFBIG']) {
    await rejectsCode(
      'attestation-failed',
      (await openGramineDriver(gramine({ failure }))).quote(REPORT_DATA),
    )
  }
  const slow = await openGramineDriver({ ...gramine({ quoteMs: 60 }), timeoutMs: 5, root: '/slow' })
  await rejectsCode('attestation-failed', slow.quote(REPORT_DATA))
})

function tree(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = mkdtempSync(join(tmpdir(), 'casemate-gramine-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'dev/attestation'), { recursive: true })
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(root, 'dev/attestation', name), content)
  return root
}

test('the files are plain files', async t => {
  const quote = intel.sgxQuote({ reportData: REPORT_DATA })
  const root = tree(t, { attestation_type: 'dcap\n', user_report_data: new Uint8Array(64), quote })
  const driver = await openGramineDriver({ root })
  assert.deepEqual(Buffer.from((await driver.quote(REPORT_DATA)).evidence), Buffer.from(quote))
  await rejectsCode('attestation-busy', driver.quote(new Uint8Array(64).fill(4)))
})

test('a tree without them is not Gramine', async t => {
  await rejectsCode('attestation-unavailable', openGramineDriver({ root: tree(t, {}) }))
  const root = tree(t, { attestation_type: 'dcap' })
  await rejectsCode('attestation-failed', (await openGramineDriver({ root })).quote(REPORT_DATA))
})

test('report data of another size is refused', async () => {
  const { files, writes } = gramine()
  await rejectsCode('invalid-parameter', (await openGramineDriver({ files })).quote(new Uint8Array(32)))
  assert.equal(writes.length, 0)
})
