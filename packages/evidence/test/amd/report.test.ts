// The shape of a report and of a certificate table: what is read, and what is refused for its shape alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeCertTable,
  looksLikeCertTable,
  parseCertTable,
  SNP_CERTIFICATE_TYPES,
} from '../../src/amd/cert-table.ts'
import { decodePlatformInfo, decodePolicy } from '../../src/amd/claims-of-report.ts'
import { MAX_CERT_TABLE_SIZE, parseSnpEvidence } from '../../src/amd/evidence.ts'
import { decodeTcb, encodeTcb, productInName, productOfCpuid } from '../../src/amd/product.ts'
import { encodeSnpReport, parseSnpReport, type SnpReportVersion } from '../../src/amd/report.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'

function reportOf(version: SnpReportVersion): Uint8Array {
  const zeros = (size: number): Uint8Array => new Uint8Array(size)
  return encodeSnpReport({
    version,
    guestSvn: 1,
    policy: 0x3_0000n,
    familyId: zeros(16),
    imageId: zeros(16),
    vmpl: 0,
    currentTcb: zeros(8),
    platformInfo: 0x25n,
    keyInfo: 0,
    reportData: zeros(64),
    measurement: zeros(48),
    hostData: zeros(32),
    idKeyDigest: zeros(48),
    authorKeyDigest: zeros(48),
    reportId: zeros(32),
    reportIdMa: zeros(32),
    reportedTcb: zeros(8),
    cpuid: version === 2 ? null : { family: 0x19, model: 1, stepping: 1 },
    chipId: zeros(64),
    committedTcb: zeros(8),
    currentVersion: { major: 1, minor: 55, build: 40 },
    committedVersion: { major: 1, minor: 55, build: 40 },
    launchTcb: zeros(8),
    launchMitVector: version === 5 ? 0n : null,
    currentMitVector: version === 5 ? 0n : null,
    signatureR: zeros(72),
    signatureS: zeros(72),
  })
}

function refuses(code: RefusalCode, work: () => unknown): void {
  assert.throws(work, error => {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

const VERSIONS = [2, 3, 4, 5] as const

for (const version of VERSIONS) {
  test(`every reserved byte of a version ${version} report must be zero, and no other`, () => {
    const reserved = new Set<number>()
    for (const [from, to] of [
      [0x4c, 0x50],
      [version === 2 ? 0x188 : 0x18b, 0x1a0],
      [0x1eb, 0x1ec],
      [0x1ef, 0x1f0],
      [version === 5 ? 0x208 : 0x1f8, 0x2a0],
      [0x2d0, 0x2e8],
      [0x318, 0x4a0],
    ] as const) {
      for (let offset = from; offset < to; offset++) reserved.add(offset)
    }
    // Bytes with a check of their own: VERSION, POLICY, VMPL, SIGNATURE_ALGO, KEY_INFO.
    const checked = [
      [0x00, 0x04],
      [0x08, 0x10],
      [0x30, 0x38],
      [0x48, 0x4c],
    ]
    const valid = reportOf(version)
    for (let offset = 0; offset < valid.length; offset++) {
      if (checked.some(([from = 0, to = 0]) => from <= offset && offset < to)) continue
      const bytes = new Uint8Array(valid)
      bytes[offset] = 0xff
      if (reserved.has(offset)) refuses('evidence-malformed', () => parseSnpReport(bytes))
      else assert.deepEqual(encodeSnpReport(parseSnpReport(bytes)), bytes)
    }
  })
}

test('other versions are unsupported', () => {
  for (const version of [0, 1, 6, 0x0101]) {
    const bytes = reportOf(2)
    new DataView(bytes.buffer).setUint32(0, version, true)
    refuses('evidence-unsupported', () => parseSnpReport(bytes))
  }
})

test('another size is malformed', () => {
  for (const size of [0, 1183, 1185])
    refuses('evidence-malformed', () => parseSnpReport(new Uint8Array(size)))
})

test('a report that the hypervisor asked for is not the guest’s', () => {
  const bytes = reportOf(3)
  for (const vmpl of [4, 0xffff_ffff]) {
    new DataView(bytes.buffer).setUint32(0x30, vmpl, true)
    refuses('evidence-unsupported', () => parseSnpReport(bytes))
  }
  new DataView(bytes.buffer).setUint32(0x30, 3, true)
  assert.equal(parseSnpReport(bytes).vmpl, 3)
})

test('only ECDSA P-384 with SHA-384 is known', () => {
  const bytes = reportOf(3)
  bytes[0x34] = 2
  refuses('evidence-unsupported', () => parseSnpReport(bytes))
})

test('the reserved bits of POLICY and KEY_INFO are checked', () => {
  for (const [offset, value] of [
    [0x0a, 0x01],
    [0x0b, 0x04],
    [0x0f, 0x80],
    [0x48, 0x20],
    [0x4b, 0x01],
  ] as const) {
    const bytes = reportOf(3)
    bytes[offset] = value
    refuses('evidence-malformed', () => parseSnpReport(bytes))
  }
  const reservedKey = reportOf(3)
  reservedKey[0x48] = 2 << 2
  refuses('evidence-unsupported', () => parseSnpReport(reservedKey))
})

test('what was parsed does not change when the caller’s buffer does', () => {
  const buffer = Buffer.from(reportOf(3))
  const report = parseSnpReport(buffer)
  buffer.fill(0xff)
  assert.deepEqual(report.bytes, reportOf(3))
  assert.equal(report.measurement[0], 0)
})

test('the bits of POLICY and PLATFORM_INFO have the names of the specification', () => {
  assert.deepEqual(decodePolicy(0x3_0137n), {
    abiMinor: 0x37,
    abiMajor: 1,
    smtAllowed: true,
    migrateMaAllowed: false,
    debugAllowed: false,
    singleSocketRequired: false,
    cxlAllowed: false,
    memAes256XtsRequired: false,
    raplDisabled: false,
    ciphertextHidingRequired: false,
    pageSwapDisabled: false,
  })
  const bits = Object.keys(decodePolicy(0n)).slice(2)
  const positions = [16n, 18n, 19n, 20n, 21n, 22n, 23n, 24n, 25n]
  for (const [index, position] of positions.entries()) {
    const set = Object.entries(decodePolicy(1n << position)).filter(([, value]) => value === true)
    assert.deepEqual(
      set.map(([name]) => name),
      [bits[index]],
    )
  }
  const infoBits = Object.keys(decodePlatformInfo(0n))
  for (const [index, position] of [0n, 1n, 2n, 3n, 4n, 5n, 7n].entries()) {
    const set = Object.entries(decodePlatformInfo(1n << position)).filter(([, value]) => value)
    assert.deepEqual(
      set.map(([name]) => name),
      [infoBits[index]],
    )
  }
})

test('TCB_VERSION has one layout before Turin and another from Turin on', () => {
  const bytes = Uint8Array.from([1, 2, 3, 4, 0, 0, 0, 8])
  assert.deepEqual(decodeTcb(bytes, 'Turin'), { fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 8 })
  refuses('evidence-malformed', () => decodeTcb(bytes, 'Milan'))
  const milan = Uint8Array.from([1, 2, 0, 0, 0, 0, 7, 8])
  assert.deepEqual(decodeTcb(milan, 'Genoa'), { fmc: null, bootloader: 1, tee: 2, snp: 7, microcode: 8 })
  refuses('evidence-malformed', () => decodeTcb(milan, 'Turin'))
  assert.deepEqual(encodeTcb(decodeTcb(bytes, 'Turin')), bytes)
  assert.deepEqual(encodeTcb(decodeTcb(milan, 'Milan')), milan)
})

test('the product follows from CPUID, and from a vendor’s name', () => {
  const product = (family: number, model: number) => productOfCpuid({ family, model, stepping: 0 })
  assert.deepEqual(
    [product(0x19, 1), product(0x19, 0x11), product(0x19, 0xa0), product(0x1a, 2), product(0x1a, 0x12)],
    ['Milan', 'Genoa', 'Genoa', 'Turin', null],
  )
  assert.equal(product(0x17, 1), null)
  assert.deepEqual(['Milan-B0', 'SEV-VLEK-Genoa', 'ARK-Turin', 'Rome', 'Milanese'].map(productInName), [
    'Milan',
    'Genoa',
    'Turin',
    null,
    null,
  ])
})

const CERTIFICATES = [
  { type: 'VCEK', bytes: Uint8Array.from([1, 2, 3]) },
  { type: 'ASK', bytes: Uint8Array.from([4, 5]) },
  { type: 'ARK', bytes: Uint8Array.from([6]) },
] as const

test('a certificate table is read in either order of the bytes of a GUID', () => {
  const table = encodeCertTable(CERTIFICATES)
  assert.deepEqual(parseCertTable(table), CERTIFICATES)
  table.subarray(0, 4).reverse()
  table.subarray(4, 6).reverse()
  table.subarray(6, 8).reverse()
  assert.deepEqual(parseCertTable(table), CERTIFICATES)
  const evidence = parseSnpEvidence(new Uint8Array([...reportOf(3), ...table]))
  assert.deepEqual(evidence.certificates, CERTIFICATES)
})

test('a table is known by each GUID in either order, behind others, and by none that stands behind its end', () => {
  for (const type of SNP_CERTIFICATE_TYPES) {
    const ours = encodeCertTable([{ type, bytes: Uint8Array.of(1) }]).subarray(0, 24)
    const mixed = ours.slice()
    for (const [from, to] of [
      [0, 4],
      [4, 6],
      [6, 8],
    ] as const)
      mixed.subarray(from, to).reverse()
    const other = new Uint8Array(24).fill(0, 0, 1).fill(0xee, 1)
    for (const entry of [ours, mixed]) {
      assert.equal(looksLikeCertTable(Uint8Array.from([...other, ...entry])), true, type)
      assert.equal(
        looksLikeCertTable(Uint8Array.from([...other, ...new Uint8Array(24), ...entry])),
        false,
        type,
      )
      assert.equal(looksLikeCertTable(entry.with(15, (entry[15] ?? 0) ^ 1)), false, type)
    }
  }
})

test('an unknown GUID is passed over, and an empty table holds nothing', () => {
  const table = encodeCertTable(CERTIFICATES)
  table.fill(0xee, 0, 16)
  assert.deepEqual(parseCertTable(table), CERTIFICATES.slice(1))
  assert.deepEqual(parseCertTable(new Uint8Array(4096)), [])
})

test('a certificate table holds no more certificates than a chain could need', () => {
  const [certificate] = CERTIFICATES
  assert.ok(certificate)
  const of = (count: number) => encodeCertTable(Array.from({ length: count }, () => certificate))
  assert.equal(parseCertTable(of(8)).length, 8)
  assert.throws(() => parseCertTable(of(9)), { code: 'evidence-malformed' })
})

test('a certificate table that points outside of itself or does not end is malformed', () => {
  const edits: readonly ((view: DataView) => void)[] = [
    view => view.setUint32(16, 0, true),
    view => view.setUint32(16, 0xffff_ffff, true),
    view => view.setUint32(20, 0xffff_ffff, true),
    view => view.setUint32(20, 1000, true),
  ]
  for (const edit of edits) {
    const table = encodeCertTable(CERTIFICATES)
    edit(new DataView(table.buffer))
    refuses('evidence-malformed', () => parseCertTable(table))
  }
  refuses('evidence-malformed', () => parseCertTable(new Uint8Array(23)))
  const endless = new Uint8Array(24 * 64).fill(1)
  const view = new DataView(endless.buffer)
  for (let offset = 16; offset < endless.length; offset += 24) {
    view.setUint32(offset, 24, true)
    view.setUint32(offset + 4, 0, true)
  }
  refuses('evidence-malformed', () => parseCertTable(endless))
})

test('a certificate table larger than any host’s is malformed', () => {
  refuses('evidence-malformed', () =>
    parseSnpEvidence(new Uint8Array([...reportOf(3), ...new Uint8Array(MAX_CERT_TABLE_SIZE + 1)])),
  )
})
