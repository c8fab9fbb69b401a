// Platforms that do not answer: whoever asked is told, and what is left behind neither piles up nor is asked for later.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import type { AttestationDriver, Quote } from '../../src/attesting/driver.ts'
import { openGramineDriver } from '../../src/attesting/gramine.ts'
import type { PlatformFiles } from '../../src/attesting/platform-files.ts'
import { openTsmDriver } from '../../src/attesting/tsm.ts'
import { EnclaveError } from '../../src/errors.ts'
import { rejectsCode } from '../expect-code.ts'
import { TsmKernel } from './kernel.ts'

const REPORT_DATA = new Uint8Array(64).fill(7)
let intel: IntelPlatform
before(async () => {
  intel = await createIntelPlatform({ now: new Date('2026-11-25T12:00:00Z') })
})

/** A request that was left behind goes on by itself once it is answered; until then nothing is asked for. */
async function quoteOnce(driver: AttestationDriver): Promise<Quote> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(1)) {
    try {
      return await driver.quote(REPORT_DATA)
    } catch (error) {
      if (!(error instanceof EnclaveError) || error.code !== 'attestation-busy') throw error
    }
  }
  return assert.fail('what was left behind did not end')
}

test('of requests that the kernel never answers few are left behind, and later ones are refused at once', async () => {
  const kernel = new TsmKernel({
    provider: 'tdx_guest',
    sign: reportData => intel.tdxQuote({ reportData }),
  })
  const answers = Promise.withResolvers<undefined>()
  const files = kernel.but({
    read: async (path, maxBytes) => {
      if (path.endsWith('/outblob')) await answers.promise
      return kernel.read(path, maxBytes)
    },
  })
  const driver = openTsmDriver({ provider: 'tdx_guest', files, timeoutMs: 1 })
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
  await rejectsCode('attestation-failed', driver.quote(REPORT_DATA))
  await rejectsCode('attestation-busy', driver.quote(REPORT_DATA))
  assert.equal(kernel.made.length, 2)
  answers.resolve(undefined)
  const patient = openTsmDriver({ provider: 'tdx_guest', files })
  assert.equal((await quoteOnce(patient)).kind, 'tdx')
  for (const deadline = Date.now() + 30_000; kernel.entries.size > 0 && Date.now() < deadline; )
    await sleep(1)
  assert.equal(kernel.entries.size, 0)
})

test('what nobody waits for any more is not asked of Gramine when its turn comes', async () => {
  const answers = Promise.withResolvers<undefined>()
  let last = new Uint8Array(64)
  let writes = 0
  const files: PlatformFiles = {
    read: async path => {
      if (path.endsWith('attestation_type')) return new TextEncoder().encode('dcap')
      await answers.promise
      return intel.sgxQuote({ reportData: last })
    },
    write: async (_path, bytes) => {
      writes += 1
      last = new Uint8Array(bytes)
    },
    makeDirectory: async () => assert.fail(),
    removeDirectory: async () => assert.fail(),
    isThere: async () => true,
  }
  const driver = await openGramineDriver({ files, timeoutMs: 1, root: '/hung' })
  const asked = [driver.quote(REPORT_DATA), driver.quote(REPORT_DATA)]
  await Promise.all(asked.map(one => rejectsCode('attestation-failed', one)))
  answers.resolve(undefined)
  const patient = await openGramineDriver({ files, root: '/hung' })
  assert.equal((await quoteOnce(patient)).kind, 'sgx')
  // The first of those that timed out, and this one.
  assert.equal(writes, 2)
})
