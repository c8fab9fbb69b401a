// Certification paths: each constraint on an authority, alone. The certificates are a simulated platform's, reissued
// with its own keys and one element changed.

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { before, test } from 'node:test'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import type { TrustAnchor } from '../src/anchor.ts'
import { type VerifiedChain, verifyChain, verifyRevocation } from '../src/chain.ts'
import { verifyPckChain } from '../src/intel/pck-chain.ts'
import { qeCertificationOf } from '../src/intel/qe-certification.ts'
import { parseIntelQuote, type SgxQuote, type TdxQuote } from '../src/intel/quote.ts'
import { verifyEndorsement } from '../src/intel/signed-endorsement.ts'
import { readEndorsements } from '../src/read-endorsements.ts'
import { Refusal, type RefusalCode } from '../src/refusal.ts'
import { type Certificate, KEY_USAGE, parseCertificate, readPem } from '../src/x509.ts'
import { refusal } from './expect-refusal.ts'
import { constraints, privateKey, readParts, reissue } from './reissue.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const now = NOW.getTime()
const AUTHORITY = KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign
const YEAR_MS = 365 * 86_400_000

let platform: IntelPlatform
let anchors: readonly TrustAnchor[]
let keys: ReturnType<IntelPlatform['toJSON']>['keys']
let quote: SgxQuote | TdxQuote
let pck: Certificate
let intermediate: Certificate
let root: Certificate

before(async () => {
  platform = await createIntelPlatform({ now: NOW })
  anchors = platform.anchors
  keys = platform.toJSON().keys
  quote = parseIntelQuote(platform.tdxQuote({ reportData: new Uint8Array(64) }))
  const chain = readPem(new TextDecoder().decode(quote.certificationData)).map(({ der }) =>
    parseCertificate(der),
  )
  const [first, second, third] = chain
  assert.ok(first && second && third)
  ;[pck, intermediate, root] = [first, second, third]
})

async function codeOf(work: Promise<unknown>): Promise<RefusalCode | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const chainOf = (...pool: readonly Certificate[]): Promise<VerifiedChain> =>
  verifyChain(pck, { pool, anchors, now })

/** The authority of the PCK with other extensions. */
function authorityWith(options: Parameters<typeof constraints>[0]): Certificate {
  return parseCertificate(
    reissue(intermediate.der, privateKey(keys.root), { extensions: constraints(options) }),
  )
}

test('an authority needs the CA flag, whatever its key usage says', async () => {
  const accepted = authorityWith({ ca: true, keyUsage: AUTHORITY })
  assert.equal(await codeOf(chainOf(accepted, root)), null)
  const refused = authorityWith({ ca: false, keyUsage: AUTHORITY })
  assert.equal(await codeOf(chainOf(refused, root)), 'certificate-usage-invalid')
})

test('an authority needs the key usage, whatever its CA flag says', async () => {
  const refused = authorityWith({ ca: true, keyUsage: KEY_USAGE.digitalSignature })
  assert.equal(await codeOf(chainOf(refused, root)), 'certificate-usage-invalid')
})

/** PCK ← a second authority ← the first ← root; both authorities have one name, so issuers are found by key. */
function longChain(pathLength: number | undefined): readonly [Certificate, Certificate] {
  const lengths = pathLength === undefined ? {} : { pathLength }
  const upper = parseCertificate(
    reissue(intermediate.der, privateKey(keys.root), {
      spki: pck.spki,
      extensions: constraints({ ca: true, keyUsage: AUTHORITY, ...lengths }),
    }),
  )
  const lower = parseCertificate(
    reissue(intermediate.der, privateKey(keys.pck), {
      issuer: readParts(upper.der).subject,
      extensions: constraints({ ca: true, keyUsage: AUTHORITY }),
    }),
  )
  return [lower, upper]
}

test('an authority has no more authorities below it than its path length allows', async () => {
  const rootless = anchors
  const verify = (pool: readonly Certificate[]): Promise<VerifiedChain> =>
    verifyChain(pck, { pool, anchors: rootless, now })
  assert.equal(await codeOf(verify(longChain(1))), null)
  assert.equal(await codeOf(verify(longChain(undefined))), null)
  assert.equal(await codeOf(verify(longChain(0))), 'certificate-usage-invalid')
})

test('a PCK is certified by the root’s own authority and no deeper', async () => {
  const leafOnly = { ...quote, certificationType: 4, certificationData: pemOf(pck) }
  const options = { anchors, now }
  assert.equal(
    await codeOf(
      verifyPckChain(await qeCertificationOf(leafOnly), { ...options, pool: [intermediate, root] }),
    ),
    null,
  )
  // A root that would allow more than one authority below it.
  const anyDepth = constraints({ ca: true, keyUsage: AUTHORITY })
  const wide = parseCertificate(reissue(root.der, privateKey(keys.root), { extensions: anyDepth }))
  const pool = [...longChain(undefined), wide]
  assert.equal((await verifyChain(pck, { pool, anchors, now })).certificates.length, 4)
  assert.equal(
    await codeOf(verifyPckChain(await qeCertificationOf(leafOnly), { ...options, pool })),
    'certificate-usage-invalid',
  )
  // Without the root's certificate the path is as short as a right one with it.
  const rootless = longChain(undefined)
  assert.equal((await verifyChain(pck, { pool: rootless, anchors, now })).certificates.length, 3)
  assert.equal(
    await codeOf(verifyPckChain(await qeCertificationOf(leafOnly), { ...options, pool: rootless })),
    'certificate-usage-invalid',
  )
  assert.equal(
    await codeOf(verifyPckChain(await qeCertificationOf(leafOnly), { ...options, pool: [intermediate] })),
    null,
  )
})

test('a PCK that the root certified itself is refused', async () => {
  const direct = reissue(pck.der, privateKey(keys.root), { issuer: readParts(root.der).subject })
  const leafOnly = { ...quote, certificationType: 4, certificationData: pemOf(parseCertificate(direct)) }
  assert.equal(
    await codeOf(verifyPckChain(await qeCertificationOf(leafOnly), { anchors, now, pool: [root] })),
    'certificate-usage-invalid',
  )
})

test('a TCB signing certificate is the root’s own, whether the root’s certificate is there or not', async () => {
  const bag = readEndorsements(platform.endorsements)
  const signing = bag.certificates.find(({ commonName }) => commonName.includes('TCB Signing'))
  assert.ok(signing)
  const verifyWith = (...certificates: readonly Certificate[]): Promise<RefusalCode | null> =>
    codeOf(
      verifyEndorsement('TCB info', bag.tcbInfos, {
        certificates,
        crls: bag.crls,
        anchor: anchors[0] ?? assert.fail('no anchor'),
        now,
        minTcbEvaluationDataNumber: 'any',
        signers: new Map(),
      }),
    )
  assert.equal(await verifyWith(signing), null)
  assert.equal(await verifyWith(signing, root), null)
  const issuer = readParts(intermediate.der).subject
  const deeper = parseCertificate(reissue(signing.der, privateKey(keys.intermediate), { issuer }))
  assert.equal(await verifyWith(deeper, intermediate), 'certificate-usage-invalid')
  assert.equal(await verifyWith(deeper, intermediate, root), 'certificate-usage-invalid')
})

test('a PCK certificate that is an authority is refused', async () => {
  const ca = constraints({ ca: true, keyUsage: AUTHORITY })
  const sgx = readParts(pck.der).extensions
  // Its own extensions without the constraints, and those of an authority.
  const own = [...extensionsOf(sgx)].filter(
    it => !/^30..0603551d(13|0f)/.test(Buffer.from(it).toString('hex')),
  )
  const extensions = wrap(...own, ...extensionsOf(ca))
  const changed = parseCertificate(reissue(pck.der, privateKey(keys.intermediate), { extensions }))
  const leafOnly = { ...quote, certificationType: 4, certificationData: pemOf(changed) }
  assert.equal(
    await codeOf(
      verifyPckChain(await qeCertificationOf(leafOnly), { anchors, now, pool: [intermediate, root] }),
    ),
    'certificate-usage-invalid',
  )
})

test('a revocation list counts only from an authority that may sign lists', async () => {
  const crls = readEndorsements(platform.endorsements).crls
  const check = async (authority: Certificate): Promise<unknown> =>
    verifyRevocation(await chainOf(authority, root), { pool: [], crls, now, required: 'every-issuer' })
  assert.equal(await codeOf(check(authorityWith({ ca: true, keyUsage: AUTHORITY }))), null)
  assert.equal(
    await codeOf(check(authorityWith({ ca: true, keyUsage: KEY_USAGE.keyCertSign }))),
    'certificate-usage-invalid',
  )
})

test('lists are optional only where the vendor publishes none', async () => {
  const chain = await chainOf(intermediate, root)
  const options = { pool: [], crls: [], now }
  const { validUntil, lists } = await verifyRevocation(chain, { ...options, required: 'where-supplied' })
  assert.equal(validUntil, Number.POSITIVE_INFINITY)
  assert.deepEqual(
    lists,
    chain.certificates.map(() => null),
  )
  assert.equal(await codeOf(verifyRevocation(chain, { ...options, required: 'every-issuer' })), 'crl-missing')
})

test('a TCB signing certificate is for signatures, and no authority', async () => {
  const bag = readEndorsements(platform.endorsements)
  const signing = bag.certificates.find(({ commonName }) => commonName.includes('TCB Signing'))
  assert.ok(signing)
  const verifyWith = (options: Parameters<typeof constraints>[0]): Promise<RefusalCode | null> => {
    const changed = reissue(signing.der, privateKey(keys.root), { extensions: constraints(options) })
    return codeOf(
      verifyEndorsement('TCB info', bag.tcbInfos, {
        certificates: [parseCertificate(changed), root],
        crls: bag.crls,
        anchor: anchors[0] ?? assert.fail('no anchor'),
        now,
        minTcbEvaluationDataNumber: 'any',
        signers: new Map(),
      }),
    )
  }
  assert.equal(await verifyWith({ ca: false, keyUsage: KEY_USAGE.digitalSignature }), null)
  assert.equal(await verifyWith({ ca: false, keyUsage: KEY_USAGE.cRLSign }), 'certificate-usage-invalid')
  const both = KEY_USAGE.digitalSignature | AUTHORITY
  assert.equal(await verifyWith({ ca: true, keyUsage: both }), 'certificate-usage-invalid')
})

test('of two editions of the root the one in its window is used, in either order', async () => {
  // The same key with another serial number; the simulator's own edition has begun, this one has ended.
  const old = parseCertificate(expired(root))
  for (const pool of [
    [intermediate, old, root],
    [root, intermediate, old],
  ]) {
    const chain = await chainOf(...pool)
    assert.equal(chain.certificates.at(-1), root)
  }
  assert.equal(await codeOf(chainOf(intermediate, old)), 'certificate-expired')
})

test('which of two editions is used is decided anew at every time', async () => {
  const old = parseCertificate(expired(root))
  const pool = [intermediate, old, root]
  assert.equal(await codeOf(verifyChain(pck, { pool, anchors, now: 0 })), 'certificate-not-yet-valid')
  const chain = await verifyChain(pck, { pool, anchors, now })
  assert.equal(chain.certificates.at(-1), root)
})

test('certificates that name each other as issuers lead nowhere, and the search ends', async () => {
  const looped = parseCertificate(
    reissue(intermediate.der, privateKey(keys.intermediate), {
      issuer: readParts(intermediate.der).subject,
      spki: intermediate.spki,
    }),
  )
  assert.equal(await codeOf(chainOf(looped)), 'chain-untrusted')
})

test('a tangle of namesakes ends the search before it costs much', async () => {
  // Each has signed one other, and the one that signed is the last to be tried.
  const tangle = (size: number): readonly Certificate[] => {
    const pairs = Array.from({ length: size }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    return pairs.map(({ publicKey }, index) => {
      const spki = publicKey.export({ type: 'spki', format: 'der' })
      const signer = pairs[(index + 1) % size] ?? assert.fail()
      const changes = { spki, issuer: readParts(intermediate.der).subject }
      return parseCertificate(reissue(intermediate.der, signer.privateKey, changes))
    })
  }
  const leafBy = (own: KeyObject): Certificate => parseCertificate(reissue(pck.der, own))
  const small = await refusal(verifyChain(leafBy(privateKey(keys.pck)), { pool: tangle(7), anchors, now }))
  assert.equal(small.code, 'certificate-signature-invalid', small.message)
  const pool = [...tangle(70)]
  const large = await refusal(verifyChain(leafBy(privateKey(keys.pck)), { pool, anchors, now }))
  assert.equal(large.code, 'chain-incomplete')
  assert.match(large.message, /64 signatures/)
})

function expired(certificate: Certificate): Uint8Array {
  const der = Buffer.from(certificate.der)
  const { validity } = readParts(certificate.der)
  const at = der.indexOf(Buffer.from(validity))
  const year = new Date(certificate.notBefore + YEAR_MS).getUTCFullYear() % 100
  // notAfter is the second time; its year becomes one that is over, and the whole is signed again.
  const second = at + 2 + 2 + (validity[3] ?? 0) + 2
  const digits = String(year - 2).padStart(2, '0')
  if (validity[4 + (validity[3] ?? 0)] === 0x18) der.write(`20${digits}`, second, 'latin1')
  else der.write(digits, second, 'latin1')
  return reissue(Uint8Array.from(der), privateKey(keys.root))
}

function pemOf({ der }: Certificate): Uint8Array {
  const base64 = Buffer.from(der).toString('base64')
  return new TextEncoder().encode(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`)
}

function* extensionsOf(list: Uint8Array): Generator<Uint8Array> {
  const head = (list[1] ?? 0) < 0x80 ? 2 : 2 + ((list[1] ?? 0) & 0x7f)
  let rest = list.subarray(head)
  while (rest.length > 0) {
    const size = 2 + (rest[1] ?? 0)
    const long =
      (rest[1] ?? 0) === 0x82
        ? 4 + (rest[2] ?? 0) * 256 + (rest[3] ?? 0)
        : (rest[1] ?? 0) === 0x81
          ? 3 + (rest[2] ?? 0)
          : size
    yield rest.subarray(0, long)
    rest = rest.subarray(long)
  }
}

function wrap(...extensions: readonly Uint8Array[]): Uint8Array {
  const contents = Buffer.concat(extensions)
  return Uint8Array.from(
    Buffer.concat([Buffer.from([0x30, 0x82, contents.length >> 8, contents.length & 0xff]), contents]),
  )
}
