// What Intel's documents judge: the quoting enclave by its identity, the TDX module and the platform by their levels,
// and the status, the dates and the advisories of the whole.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IntelPlatformOptions, PREVIOUS_CPU_SVN } from '@casemate/simulator'
import { refusal } from '../expect-refusal.ts'
import { accepted, edited, type Given, refused, verifyGiven } from './isolated.ts'

refused('qe-identity-mismatch', 'qe-identity-signature', {
  'a quoting enclave of another signer': { tdx: { qeReport: { mrSigner: new Uint8Array(32).fill(1) } } },
  'another product of the same signer': { tdx: { qeReport: { isvProdId: 3 } } },
  'a quoting enclave with MISCSELECT': { tdx: { qeReport: { miscSelect: 1 } } },
  'a quoting enclave in debug mode': { tdx: { qeReport: { attributesFlags: 0x17 } } },
})
accepted({
  'a quoting enclave with attributes that the identity masks out': {
    tdx: { qeReport: { attributesXfrm: 0x07, attributesFlags: 0x11 } },
  },
})
/** The report's octets are 01 02 03 04; an identity writes masked fields as the report has them. */
const withMiscSelect = (miscselect: string, miscselectMask: string): Given => ({
  ...edited('tdQeIdentity', { miscselect, miscselectMask }),
  tdx: { qeReport: { miscSelect: 0x0403_0201 } },
})
const ATTRIBUTES_OF_QE = { attributesFlags: 0x0807_0605_0403_0211n, attributesXfrm: 0x1807_0605_0403_0201n }
const withAttributes = (attributes: string, attributesMask: string): Given => ({
  ...edited('tdQeIdentity', { attributes, attributesMask }),
  tdx: { qeReport: ATTRIBUTES_OF_QE },
})
accepted({
  'MISCSELECT in the order of the report': withMiscSelect('01020304', 'FFFFFFFF'),
  'MISCSELECT whose last octets are masked out': withMiscSelect('01020000', 'FFFF0000'),
  'ATTRIBUTES in the order of the report': withAttributes('11020304050607080102030405060718', 'F'.repeat(32)),
  'ATTRIBUTES of which the first octets of each half count': withAttributes(
    '11020000000000000102000000000000',
    'FFFF000000000000FFFF000000000000',
  ),
})
refused('qe-identity-mismatch', 'qe-identity-signature', {
  'MISCSELECT in the opposite order': withMiscSelect('04030201', 'FFFFFFFF'),
  'MISCSELECT under a mask in the opposite order': withMiscSelect('01020000', '0000FFFF'),
  'ATTRIBUTES in the opposite order': withAttributes('08070605040302111807060504030201', 'F'.repeat(32)),
})
refused('tcb-level-unknown', 'qe-identity-signature', {
  'a quoting enclave below every level': { tdx: { qeReport: { isvSvn: 2 } } },
})

refused('tdx-module-mismatch', 'tcb-info-signature', {
  'a TDX module of another signer': { tdx: { mrSignerSeam: new Uint8Array(48).fill(1) } },
  'a TDX module with attributes': { tdx: { seamAttributes: new Uint8Array(8).fill(1) } },
  'a TDX module of a version that has no identity': {
    tdx: { teeTcbSvn: new Uint8Array([6, 2, 3, ...new Uint8Array(13)]) },
  },
})
refused('tcb-level-unknown', 'tcb-info-signature', {
  'a TDX module below every level': { tdx: { teeTcbSvn: new Uint8Array([3, 1, 3, ...new Uint8Array(13)]) } },
})
refused('tcb-level-unknown', 'tdx-module', {
  'a TD below every level in its late microcode': {
    tdx: { teeTcbSvn: new Uint8Array([6, 1, 1, ...new Uint8Array(13)]) },
  },
  'a platform below every level in one component': {
    options: { cpuSvn: [2, 2, 2, 2, 3, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0] },
  },
  'a platform below every level in PCESVN': { options: { pceSvn: 10 } },
})
refused('tcb-level-unknown', 'tcb-info-signature', {
  'an SGX platform below every level': { sgx: {}, options: { pceSvn: 10 } },
})
accepted({
  'a TDX module of version 0, which levels alone judge': {
    tdx: { teeTcbSvn: new Uint8Array([5, 0, 3, ...new Uint8Array(13)]) },
  },
})
refused('tcb-level-unknown', 'tdx-module', {
  'a TDX module of version 0 below every level': {
    tdx: { teeTcbSvn: new Uint8Array([4, 0, 3, ...new Uint8Array(13)]) },
  },
})

test('a platform that reaches the level before the newest is OutOfDate with that level’s date and advisories', async () => {
  const { claims } = await verifyGiven({ options: { cpuSvn: PREVIOUS_CPU_SVN } })
  assert.equal(claims.tcbStatus, 'OutOfDate')
  assert.equal(claims.tcbDate, '2024-03-13T00:00:00Z')
  assert.deepEqual(claims.advisoryIds, ['CASEMATE-SIM-SA-00001'])
})

const NEWEST_DATE = '2024-11-13T00:00:00Z'
const PREVIOUS_DATE = '2024-03-13T00:00:00Z'
const PREVIOUS_MODULE = new Uint8Array([4, 1, 3, ...new Uint8Array(13)])
for (const [what, given, dates] of [
  ['nothing', {}, [NEWEST_DATE, NEWEST_DATE, NEWEST_DATE]],
  ['the platform', { options: { cpuSvn: PREVIOUS_CPU_SVN } }, [PREVIOUS_DATE, NEWEST_DATE, NEWEST_DATE]],
  ['the TDX module', { tdx: { teeTcbSvn: PREVIOUS_MODULE } }, [NEWEST_DATE, PREVIOUS_DATE, NEWEST_DATE]],
  ['the quoting enclave', { tdx: { qeReport: { isvSvn: 3 } } }, [NEWEST_DATE, NEWEST_DATE, PREVIOUS_DATE]],
] as const) {
  test(`where ${what} is behind, the TCB date is that of the oldest level, and each date is a claim`, async () => {
    const { claims } = await verifyGiven(given)
    assert.ok(claims.kind === 'tdx')
    const { platformTcbDate, qeTcbDate } = claims.platform
    assert.deepEqual([platformTcbDate, claims.tdx.moduleTcbDate, qeTcbDate], dates)
    assert.equal(claims.tcbDate, what === 'nothing' ? NEWEST_DATE : PREVIOUS_DATE)
  })
}

test('an SGX quote has the date of a quoting enclave that is behind', async () => {
  const { claims } = await verifyGiven({ sgx: { qeReport: { isvSvn: 6 } } })
  assert.ok(claims.kind === 'sgx')
  assert.equal(claims.tcbDate, claims.platform.qeTcbDate)
  assert.ok(claims.platform.qeTcbDate < claims.platform.platformTcbDate)
})

test('advisories of platform, module and quoting enclave are listed once each', async () => {
  const { claims } = await verifyGiven({
    options: {
      statuses: {
        platform: { status: 'SWHardeningNeeded', advisoryIds: ['A', 'B'] },
        module: { status: 'OutOfDate', advisoryIds: ['B', 'C'] },
        qe: { status: 'UpToDate', advisoryIds: ['D'] },
      },
    },
  })
  assert.deepEqual(claims.advisoryIds, ['A', 'B', 'C', 'D'])
  assert.equal(claims.tcbStatus, 'OutOfDate')
  assert.ok(claims.kind === 'tdx')
  assert.equal(claims.platform.platformTcbStatus, 'SWHardeningNeeded')
  assert.equal(claims.tdx.moduleTcbStatus, 'OutOfDate')
  assert.equal(claims.platform.qeTcbStatus, 'UpToDate')
})

test('a TD that was launched under an old module which is new now is to be relaunched', async () => {
  const old = new Uint8Array([4, 1, 3, ...new Uint8Array(13)])
  const present = (svn: number, microcode: number) =>
    new Uint8Array([svn, 1, microcode, ...new Uint8Array(13)])
  const statusOf = async (
    teeTcbSvn2: Uint8Array,
    options: IntelPlatformOptions = {},
  ): Promise<string | null> => {
    const { claims } = await verifyGiven({ options, tdx: { format: 'v5-1.5', teeTcbSvn: old, teeTcbSvn2 } })
    return claims.tcbStatus
  }
  assert.equal(await statusOf(present(6, 3)), 'TDRelaunchAdvised')
  assert.equal(await statusOf(present(5, 3)), 'OutOfDate')
  assert.equal(await statusOf(present(6, 2)), 'OutOfDate')
  const configuration = { status: 'ConfigurationNeeded', advisoryIds: [] } as const
  assert.equal(
    await statusOf(present(6, 3), { statuses: { platform: configuration } }),
    'TDRelaunchAdvisedConfigurationNeeded',
  )
  const outOfDate = { status: 'OutOfDate', advisoryIds: [] } as const
  assert.equal(await statusOf(present(6, 3), { statuses: { qe: outOfDate } }), 'OutOfDate')
  assert.equal(await statusOf(present(6, 3), { cpuSvn: PREVIOUS_CPU_SVN }), 'OutOfDate')
  // Here the level is old, and the module at launch was not.
  const oldMicrocode = new Uint8Array([6, 1, 2, ...new Uint8Array(13)])
  const levelOnly = await verifyGiven({
    tdx: { format: 'v5-1.5', teeTcbSvn: oldMicrocode, teeTcbSvn2: present(6, 3) },
  })
  assert.equal(levelOnly.claims.tcbStatus, 'OutOfDate')
  const { claims } = await verifyGiven({ tdx: { format: 'v5-1.0', teeTcbSvn: old } })
  assert.equal(claims.tcbStatus, 'OutOfDate')
})

test('a TD whose present module has no identity is refused', async () => {
  const svn = (version: number, isvSvn: number) => new Uint8Array([isvSvn, version, 3, ...new Uint8Array(13)])
  const found = await refusal(
    verifyGiven({ tdx: { format: 'v5-1.5', teeTcbSvn: svn(1, 4), teeTcbSvn2: svn(9, 6) } }),
  )
  assert.equal(found.code, 'tdx-module-mismatch')
})

for (const [what, statuses] of Object.entries({
  'quoting enclave': { qe: { status: 'OutOfDate', advisoryIds: [] } },
  'TDX module': { module: { status: 'OutOfDate', advisoryIds: [] } },
} as const)) {
  test(`an out-of-date ${what} makes the whole out of date`, async () => {
    assert.equal((await verifyGiven({ options: { statuses } })).claims.tcbStatus, 'OutOfDate')
  })
}
