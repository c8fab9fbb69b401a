// Quotes and endorsements of a simulated Intel platform, read by verifiers that we did not write.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createIntelPlatform } from '../src/index.ts'
import { verifyWithQvl } from './qvl.ts'

const NOW = new Date('2026-11-22T12:00:00Z')

for (const format of ['v4', 'v5-1.0', 'v5-1.5'] as const) {
  test(`dcap-qvl accepts a TDX quote ${format} under the simulated root`, async () => {
    const platform = await createIntelPlatform({ now: NOW })
    const quote = platform.tdxQuote({ reportData: randomBytes(64), format })
    assert.equal(verifyWithQvl(platform, quote, { tee: 'tdx', now: NOW }).status, 'UpToDate')
  })
}

test('dcap-qvl accepts an SGX quote under the simulated root', async () => {
  const platform = await createIntelPlatform({ now: NOW })
  const quote = platform.sgxQuote({ reportData: randomBytes(64) })
  assert.equal(verifyWithQvl(platform, quote, { tee: 'sgx', now: NOW }).status, 'UpToDate')
})
