// `@phala/dcap-qvl` as an independent reader: the platform’s endorsements in the form that it takes, under its root.

import { X509Certificate } from 'node:crypto'
import { QuoteVerifier } from '@phala/dcap-qvl'
import type { IntelEndorsementName, IntelPlatform } from '../src/index.ts'

export function endorsement(platform: IntelPlatform, name: IntelEndorsementName): Uint8Array {
  const found = platform.endorsements.find(entry => entry.name === name)
  if (found === undefined) throw new Error(`no endorsement ${name}`)
  return found.bytes
}

function text(platform: IntelPlatform, name: IntelEndorsementName): string {
  return Buffer.from(endorsement(platform, name)).toString('utf8')
}

/** The body’s exact text, and its signature. */
export function split(document: string): { body: string; signature: string } {
  const match = /^\{"\w+":(.*),"signature":"([0-9a-f]{128})"\}$/s.exec(document)
  if (match?.[1] === undefined || match[2] === undefined) throw new Error('not a signed document')
  return { body: match[1], signature: match[2] }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Verifies quotes of a platform; throws if one does not verify. */
export type QvlVerifier = (quote: Uint8Array, now: Date) => { status: string; advisory_ids: string[] }

/** Under the platform's root, with its endorsements. */
export function qvlVerifier(platform: IntelPlatform, tee: 'sgx' | 'tdx'): QvlVerifier {
  const tcbInfo = split(text(platform, `${tee}-tcb-info.json`))
  const identity = split(text(platform, tee === 'sgx' ? 'qe-identity.json' : 'td-qe-identity.json'))
  const signingChain = text(platform, 'tcb-signing-chain.pem')
  const root = new X509Certificate(signingChain.slice(signingChain.lastIndexOf('-----BEGIN')))
  const collateral = {
    pck_crl_issuer_chain: text(platform, 'pck-crl-issuer-chain.pem'),
    root_ca_crl: hex(endorsement(platform, 'root-ca-crl.der')),
    pck_crl: hex(endorsement(platform, 'pck-crl.der')),
    tcb_info_issuer_chain: signingChain,
    tcb_info: tcbInfo.body,
    tcb_info_signature: tcbInfo.signature,
    qe_identity_issuer_chain: signingChain,
    qe_identity: identity.body,
    qe_identity_signature: identity.signature,
  }
  const verifier = QuoteVerifier.newWithRootCa(root.raw)
  return (quote, now) => verifier.verify(Buffer.from(quote), collateral, Math.floor(now.getTime() / 1000))
}

export function verifyWithQvl(
  platform: IntelPlatform,
  quote: Uint8Array,
  { tee, now }: { tee: 'sgx' | 'tdx'; now: Date },
): ReturnType<QvlVerifier> {
  return qvlVerifier(platform, tee)(quote, now)
}
