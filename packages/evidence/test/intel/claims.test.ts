// Every format of an Intel quote is accepted, and each of its fields is a claim.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IntelPlatformOptions } from '@casemate/simulator'
import { toHex } from '../../src/bytes.ts'
import { refusal } from '../expect-refusal.ts'
import { accepted, plain, REPORT_DATA, verifyGiven } from './isolated.ts'

accepted({
  'an SGX quote': { sgx: {} },
  'a TDX quote of version 4': {},
  'a TDX quote of version 5 with a 1.0 body': { tdx: { format: 'v5-1.0' } },
  'a TDX quote of version 5 with a 1.5 body': { tdx: { format: 'v5-1.5' } },
  'a TDX quote of version 5 with migration fields': { tdx: { format: 'v5-1.5-migration' } },
  'bytes behind the quote': { tdx: { trailing: new Uint8Array(70) } },
})

test('debug is told by its bit: ATTRIBUTES.DEBUG of an enclave, anything in TDATTRIBUTES.TUD of a TD', async () => {
  assert.equal((await verifyGiven({ sgx: {} })).claims.debug, false)
  assert.equal((await verifyGiven({ sgx: { attributesFlags: 0x07 } })).claims.debug, true)
  assert.equal((await verifyGiven({})).claims.debug, false)
  assert.equal((await verifyGiven({ tdx: { tdAttributes: 0x01 } })).claims.debug, true)
  assert.equal((await verifyGiven({ tdx: { tdAttributes: 0x40 } })).claims.debug, true)
})

/** The one attribute that each bit of TDATTRIBUTES is. */
const NAMED_BITS = new Map([
  [0, 'debug'],
  [4, 'hgsPlusProf'],
  [5, 'perfProf'],
  [6, 'pmtProf'],
  [16, 'icssd'],
  [17, 'servtdExt'],
  [27, 'lass'],
  [28, 'septVeDisable'],
  [29, 'migratable'],
  [30, 'protectionKeys'],
  [31, 'keyLocker'],
  [62, 'tpa'],
  [63, 'perfmon'],
])

test('every bit of TDATTRIBUTES shows: by its name alone, or among the unknown ones', async () => {
  const none = '00'.repeat(8)
  for (let bit = 0; bit < 64; bit++) {
    const tdAttributes = new Uint8Array(8)
    tdAttributes[bit >> 3] = 1 << (bit & 7)
    const { claims } = await verifyGiven({ tdx: { tdAttributes } })
    assert.ok(claims.kind === 'tdx')
    const { unknownBits, ...named } = claims.tdx.attributes
    const set = Object.entries(named).flatMap(([name, value]) => (value ? [name] : []))
    const name = NAMED_BITS.get(bit)
    assert.deepEqual(set, name === undefined ? [] : [name], `bit ${bit}`)
    assert.equal(unknownBits, name === undefined ? toHex(tdAttributes) : none, `bit ${bit}`)
    assert.equal(claims.debug, bit < 8)
  }
})

test('what a simulated root signs says so, and vendor anchors alone never accept it', async () => {
  const { claims } = await verifyGiven({})
  assert.equal(claims.simulated, true)
  const { VENDOR_ANCHORS } = await import('../../src/index.ts')
  assert.equal((await refusal(verifyGiven({ anchors: VENDOR_ANCHORS }))).code, 'chain-untrusted')
})

test('claims hold every field of the quote as the wire has it', async () => {
  const { claims } = await verifyGiven({
    sgx: {
      mrEnclave: new Uint8Array(32).fill(0xab),
      configId: new Uint8Array(64).fill(0xcd),
      isvProdId: 0x0102,
      isvSvn: 3,
    },
  })
  assert.ok(claims.kind === 'sgx')
  assert.equal(claims.measurement, 'ab'.repeat(32))
  assert.equal(claims.hostData, 'cd'.repeat(64))
  assert.equal(claims.sgx.isvProdId, 0x0102)
  assert.equal(claims.sgx.isvSvn, 3)
  assert.equal(claims.reportData, toHex(REPORT_DATA))
  const td = await verifyGiven({
    tdx: { mrOwner: new Uint8Array(48).fill(1), rtmr3: new Uint8Array(48).fill(9) },
  })
  assert.ok(td.claims.kind === 'tdx')
  assert.equal(td.claims.signer, '01'.repeat(48))
  assert.equal(td.claims.tdx.rtmr3, '09'.repeat(48))
  assert.equal(td.claims.tdx.attributes.septVeDisable, true)
})

test('a body with migration fields has every one of them as a claim, by its place in the body', async () => {
  const body = Uint8Array.from({ length: 885 }, (_, index) => index & 0xff)
  const at = (start: number, end: number): Uint8Array => body.subarray(start, end)
  const fields = {
    tdId: at(649, 681),
    devInfo: at(681, 729),
    initServiceTdHash: at(729, 777),
    initServiceTdAttributes: at(777, 785),
    initCpuSvn: at(785, 801),
    initTeeTcbSvn: at(801, 817),
    initTeeFmspc: at(817, 829),
    currentServiceTdHash: at(829, 877),
    currentServiceTdAttributes: at(877, 885),
  }
  const quote = plain.tdxQuote({ reportData: REPORT_DATA, format: 'v5-1.5-migration', vmId: 5, ...fields })
  assert.deepEqual(quote.slice(54 + 649, 54 + 885), at(649, 885))
  assert.equal(quote[54 + 648], 5)
  const { claims } = await verifyGiven({ tdx: { format: 'v5-1.5-migration', vmId: 5, ...fields } })
  assert.ok(claims.kind === 'tdx')
  assert.equal(claims.tdx.bodyVersion, '1.5-migration')
  const hex = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toHex(value)]))
  assert.deepEqual(claims.tdx.migration, { vmId: 5, ...hex })
})

test('what the PCK certificate says of its platform is a claim, and null where the Processor CA issued it', async () => {
  const of = async (options: IntelPlatformOptions) => {
    const { claims } = await verifyGiven({ options })
    assert.ok(claims.kind === 'tdx')
    const { sgxType, platformInstanceId, dynamicPlatform, cachedKeys, smtEnabled } = claims.platform
    return [sgxType, platformInstanceId, dynamicPlatform, cachedKeys, smtEnabled]
  }
  const platformInstanceId = '0102030405060708090a0b0c0d0e0f10'
  assert.deepEqual(await of({ platformInstanceId }), ['scalable', platformInstanceId, true, true, true])
  for (const [index, flag] of (['dynamicPlatform', 'cachedKeys', 'smtEnabled'] as const).entries()) {
    const [, , ...flags] = await of({ [flag]: false })
    assert.deepEqual(
      flags,
      [0, 1, 2].map(at => at !== index),
    )
  }
  assert.deepEqual(await of({ pckCa: 'processor' }), ['standard', null, null, null, null])
})
