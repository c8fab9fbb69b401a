// Evidence of simulated platforms, of each kind.

import assert from 'node:assert/strict'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { parse } from '../../src/parse.ts'
import { pemOf } from './written.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(3)

const intel = await createIntelPlatform({ now: NOW })
const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })

export const sgx = Buffer.from(intel.sgxQuote({ reportData: REPORT_DATA }))
export const tdx = Buffer.from(intel.tdxQuote({ reportData: REPORT_DATA }))
const whole = Buffer.from(amd.snpReport({ reportData: REPORT_DATA, certificateTable: true }))
const evidence = parse(whole)
assert.ok(evidence.kind === 'snp')
/** A report, its certificates in PEM, leaf first, and as the host’s table. */
export const snp = {
  report: whole.subarray(0, 1184),
  table: whole.subarray(1184),
  pem: evidence.certificates.map(({ bytes }) => pemOf(bytes)).join(''),
  ders: evidence.certificates.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
}
