// What nobody can avoid of a quote's verification, bare: its own signatures by its own keys, imported each time anew where a
// verifier cannot know them. Everything is at hand, cut out and decoded, before it is measured.
import { createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import { parse } from '@casemate/evidence'
import { DerReader, TAG } from '@casemate/evidence/asn1'
import type { IntelPlatform } from '@casemate/simulator'
import { endorsement, split } from '../packages/simulator/test/qvl.ts'

interface Signed {
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly dsaEncoding: 'der' | 'ieee-p1363'
}

/** SubjectPublicKeyInfo of a P-256 key up to x and y. */
const P256_SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** PCK certificate, QE report, quote; PCK and attestation key: the authority above is known. */
export function newMachineFloor(quote: Uint8Array, authority: KeyObject): () => void {
  const it = readQuote(quote)
  return () => {
    check(authority, it.pck.signed)
    check(imported(it.pck.spki), it.qeReport)
    check(imported(it.attestationKey), it.quote)
  }
}

/** The same, two authorities, two revocation lists, the TCB signing certificate and what it signs; five keys. */
export function coldFloor(quote: Uint8Array, platform: IntelPlatform): () => void {
  const it = readQuote(quote)
  const [signing] = certificatesIn(endorsement(platform, 'tcb-signing-chain.pem'))
  const [rootCrl, pckCrl] = (['root-ca-crl.der', 'pck-crl.der'] as const).map(name =>
    signedDer(endorsement(platform, name)),
  )
  const documents = (['tdx-tcb-info.json', 'td-qe-identity.json'] as const).map(name => {
    const { body, signature } = split(Buffer.from(endorsement(platform, name)).toString('utf8'))
    return raw(Buffer.from(body), Buffer.from(signature, 'hex'))
  })
  return () => {
    const [root, authority, tcbKey] = [
      imported(it.root.spki),
      imported(it.authority.spki),
      imported(signing!.spki),
    ]
    for (const signed of [it.root.signed, it.authority.signed, signing!.signed, rootCrl!]) check(root, signed)
    for (const signed of [it.pck.signed, pckCrl!]) check(authority, signed)
    for (const signed of documents) check(tcbKey, signed)
    check(imported(it.pck.spki), it.qeReport)
    check(imported(it.attestationKey), it.quote)
  }
}

/** The one signature of a SEV-SNP report, by a key that is known. */
export function reportFloor(report: Uint8Array, vcek: KeyObject): () => void {
  // r and s have 72 bytes each there, little-endian; P-384 needs 48.
  const [r, s] = [0x2a0, 0x2e8].map(at => report.slice(at, at + 48).toReversed())
  const signature = Buffer.concat([r!, s!])
  const message = report.slice(0, 0x2a0)
  const key = { key: vcek, dsaEncoding: 'ieee-p1363' } as const
  return () => {
    if (!verify('sha384', message, key, signature)) throw new Error('a bare signature is wrong')
  }
}

/** The key of the authority that certified a quote's PCK. */
export function authorityOf(quote: Uint8Array): KeyObject {
  return imported(readQuote(quote).authority.spki)
}

function readQuote(bytes: Uint8Array) {
  const quote = parse(bytes)
  if (quote.kind !== 'tdx') throw new Error('not a TDX quote')
  const [pck, authority, root] = certificatesIn(quote.certificationData)
  return {
    pck: pck!,
    authority: authority!,
    root: root!,
    attestationKey: Buffer.concat([P256_SPKI, quote.attestationKey]),
    qeReport: raw(quote.qeReport.bytes, quote.qeReportSignature),
    quote: raw(quote.signed, quote.signature),
  }
}

function certificatesIn(pem: Uint8Array): { readonly spki: Uint8Array; readonly signed: Signed }[] {
  return (Buffer.from(pem).toString('latin1').match(PEM) ?? []).map(text => {
    const certificate = new X509Certificate(text)
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
    return { spki, signed: signedDer(new Uint8Array(certificate.raw)) }
  })
}

/** Certificates and lists have the same shape. */
function signedDer(der: Uint8Array): Signed {
  const outer = new DerReader(der, 'certificate-malformed', 'certificate or list').enter(TAG.sequence)
  const message = outer.expect(TAG.sequence).raw
  outer.expect(TAG.sequence)
  return { message, signature: outer.bitOctets(), dsaEncoding: 'der' }
}

function raw(message: Uint8Array, signature: Uint8Array): Signed {
  return { message, signature, dsaEncoding: 'ieee-p1363' }
}

function imported(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
}

function check(key: KeyObject, { message, signature, dsaEncoding }: Signed): void {
  if (!verify('sha256', message, { key, dsaEncoding }, signature))
    throw new Error('a bare signature is wrong')
}
