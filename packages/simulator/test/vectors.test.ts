// The shape of what the simulator writes against what Intel and AMD issue: same elements, same tags, same object
// identifiers, same JSON members in the same order. Only values differ.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { createAmdPlatform, createIntelPlatform, type IntelPlatformOptions } from '../src/index.ts'
import { endorsement } from './qvl.ts'

const VECTORS = process.env['CASEMATE_VECTORS'] ?? resolve(import.meta.dirname, '../../../../shared/vectors')
const skip = existsSync(VECTORS) ? false : `no vectors at ${VECTORS}`
const MODULUS_BITS = 2048

const REPORT_DATA = new Uint8Array(64)
const [SEQUENCE, OID, OCTET_STRING] = [0x30, 0x06, 0x04]

function vector(path: string): Buffer {
  return readFileSync(join(VECTORS, path))
}

/** Tags by nesting, with the value of each OID; octet strings are entered where they hold one whole element. */
function shape(der: Uint8Array, depth = 0): string[] {
  const lines: string[] = []
  for (let at = 0; at < der.length; ) {
    const tag = der[at]!
    const first = der[at + 1]!
    const extra = first < 0x80 ? 0 : first & 0x7f
    let size = first
    if (extra > 0) size = der.subarray(at + 2, at + 2 + extra).reduce((sum, octet) => sum * 256 + octet, 0)
    const content = der.subarray(at + 2 + extra, at + 2 + extra + size)
    const value = tag === OID ? Buffer.from(content).toString('hex') : ''
    lines.push(`${'  '.repeat(depth)}${tag.toString(16)} ${value}`)
    const holdsOne = tag === OCTET_STRING && content[0] === SEQUENCE && content[1] === content.length - 2
    if ((tag & 0x20) !== 0 || holdsOne) lines.push(...shape(content, depth + 1))
    at += 2 + extra + size
  }
  return lines
}

/** The members of a document in order, without values; of an array, its first element. */
function members(value: unknown): unknown {
  if (Array.isArray(value)) return [members(value[0])]
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.entries(value).map(([name, inner]) => [name, members(inner)])
}

function chainOf(quote: Uint8Array): Uint8Array[] {
  const text = Buffer.from(quote).toString('latin1')
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map(block => new X509Certificate(block).raw)
}

const PCK_VECTORS: readonly (readonly [NonNullable<IntelPlatformOptions['pckCa']>, string])[] = [
  ['platform', 'tdx/phala-tdx-quote/quote.bin'],
  ['processor', 'sgx/phala-sgx-quote/quote.bin'],
]

describe('the shape of real evidence', { skip }, () => {
  for (const [pckCa, path] of PCK_VECTORS) {
    test(`the PCK chain of a ${pckCa} CA has the shape of Intel’s`, async () => {
      const platform = await createIntelPlatform({ pckCa })
      const simulated = chainOf(platform.sgxQuote({ reportData: REPORT_DATA }))
      const real = chainOf(vector(path))
      assert.deepEqual(
        simulated.map(der => shape(der)),
        real.map(der => shape(der)),
      )
    })
  }

  test('the TCB signing certificate has the shape of Intel’s', async () => {
    const platform = await createIntelPlatform()
    const simulated = new X509Certificate(Buffer.from(endorsement(platform, 'tcb-signing-chain.pem')))
    const real = new X509Certificate(vector('roots/intel/intel-sgx-tcb-signing-20250506-20320506-c0575e.pem'))
    assert.deepEqual(shape(simulated.raw), shape(real.raw))
  })

  test('a revocation list that is empty has the shape of Intel’s', async () => {
    const platform = await createIntelPlatform()
    const real = vector('collateral/intel/crl/root-20260226.der')
    assert.deepEqual(shape(endorsement(platform, 'root-ca-crl.der')), shape(real))
  })

  test('a revoked entry has the shape of Intel’s', async () => {
    const platform = await createIntelPlatform({ faults: { revoked: ['pck'] } })
    const simulated = shape(endorsement(platform, 'pck-crl.der'))
    const real = shape(vector('collateral/intel/crl/platform-20260316.der'))
    // Up to the extensions of the list itself; the real one has more entries there.
    const entry = simulated.slice(0, simulated.indexOf('    a0 '))
    assert.deepEqual(real.slice(0, entry.length), entry)
  })

  test('signed documents have the members of Intel’s, in the same order', async () => {
    const platform = await createIntelPlatform()
    const legacy = await createIntelPlatform({ sgxTcbInfoVersion: 2 })
    const pairs = [
      [endorsement(platform, 'sgx-tcb-info.json'), 'tcbinfo/sgx-b0c06f000000-v3-e17-20250928.json'],
      [endorsement(legacy, 'sgx-tcb-info.json'), 'tcbinfo/sgx-00606a000000-v2-e17-20250604.json'],
      [endorsement(platform, 'qe-identity.json'), 'qeidentity/qe-e18-20260107.json'],
      [endorsement(platform, 'td-qe-identity.json'), 'qeidentity/td_qe-e18-20260316.json'],
    ] as const
    for (const [simulated, path] of pairs) {
      const real = JSON.parse(vector(`collateral/intel/${path}`).toString())
      // The first level of a real one may list advisories.
      const document = Object.values<{ tcbLevels: { advisoryIDs?: unknown }[] }>(real)[0]!
      delete document.tcbLevels[0]!.advisoryIDs
      assert.deepEqual(members(JSON.parse(Buffer.from(simulated).toString())), members(real), path)
    }
  })

  test('a TDX quote differs from a real one only where values may', async () => {
    const platform = await createIntelPlatform()
    const pairs = [
      [platform.tdxQuote({ reportData: REPORT_DATA }), 'tdx/phala-tdx-quote/quote.bin', 48],
      [
        platform.tdxQuote({ reportData: REPORT_DATA, format: 'v5-1.5' }),
        'tdx/google-quote-v5-sample/quote.bin',
        54,
      ],
    ] as const
    for (const [simulated, path, bodyAt] of pairs) {
      const real = vector(path)
      // Header up to the user data; then attributes and XFAM, which every TD of Linux has alike.
      assert.deepEqual(Buffer.from(simulated.subarray(0, 28)), real.subarray(0, 28))
      const [from, to] = [bodyAt + 112, bodyAt + 136]
      assert.deepEqual(Buffer.from(simulated.subarray(from, to)), real.subarray(from, to))
      // Certification data of type 6, and in it, behind QE report, signature and authentication data, of type 5.
      const signatureAt = bodyAt + (bodyAt === 54 ? 648 : 584) + 4
      for (const at of [signatureAt + 128, signatureAt + 134 + 448 + 2 + 32]) {
        assert.equal(Buffer.from(simulated).readUInt16LE(at), real.readUInt16LE(at))
      }
    }
  })

  test('a VCEK, a VLEK and a revocation list have the shape of AMD’s', async () => {
    const amd = async (options: Parameters<typeof createAmdPlatform>[0]) =>
      (await createAmdPlatform({ modulusBits: MODULUS_BITS, ...options })).endorsements
    const pairs = [
      [(await amd({ product: 'Milan' }))[0], 'snp/ms-milan-attestation-report/vcek.der'],
      [(await amd({ product: 'Genoa' }))[0], 'snp/ms-genoa-attestation-report/vcek.der'],
      [(await amd({ product: 'Turin' }))[0], 'snp/ms-turin-attestation-report/vcek.der'],
      [(await amd({ signingKey: 'VLEK' }))[0], 'snp/coco-test-vlek-report/vlek.der'],
      [(await amd({}))[2], 'collateral/amd/crl/milan-20250506.der'],
    ] as const
    for (const [simulated, path] of pairs) {
      assert.deepEqual(shape(simulated!.bytes), shape(vector(path)), path)
    }
  })

  test('the authorities have the extensions of AMD’s', async () => {
    const platform = await createAmdPlatform({ product: 'Turin', modulusBits: MODULUS_BITS })
    const chain = Buffer.from(platform.endorsements[1]!.bytes).toString()
    const [ask = '', ark = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/)
    const extensions = (der: Uint8Array) => {
      const lines = shape(der)
      const at = lines.findIndex(line => line.startsWith('    a3'))
      const end = lines.findIndex((line, index) => index > at && line.startsWith('  30'))
      return lines.slice(at, end)
    }
    for (const [pem, path] of [
      [ask, 'roots/amd/ask-turin.der'],
      [ark, 'roots/amd/ark-turin.der'],
    ] as const) {
      assert.deepEqual(extensions(new X509Certificate(pem).raw), extensions(vector(path)), path)
    }
  })
})
