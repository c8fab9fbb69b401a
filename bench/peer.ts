// `@phala/dcap-qvl`, the peer: a platform's endorsements in the form that it takes, under the platform's own root.
import { X509Certificate } from 'node:crypto'
import type { IntelEndorsementName, IntelPlatform } from '@casemate/simulator'
import { QuoteVerifier } from '@phala/dcap-qvl'

/** A function that verifies one quote of the platform and returns the TCB status; throws where it does not verify. */
export function peerVerifier(
  platform: IntelPlatform,
  tee: 'sgx' | 'tdx',
): (quote: Uint8Array, now: Date) => string {
  const bytes = (name: IntelEndorsementName): Buffer =>
    Buffer.from(platform.endorsements.find(entry => entry.name === name)!.bytes)
  const tcbInfo = signedDocument(bytes(`${tee}-tcb-info.json`))
  const identity = signedDocument(bytes(tee === 'sgx' ? 'qe-identity.json' : 'td-qe-identity.json'))
  const signingChain = bytes('tcb-signing-chain.pem').toString()
  const collateral = {
    pck_crl_issuer_chain: bytes('pck-crl-issuer-chain.pem').toString(),
    root_ca_crl: bytes('root-ca-crl.der').toString('hex'),
    pck_crl: bytes('pck-crl.der').toString('hex'),
    tcb_info_issuer_chain: signingChain,
    tcb_info: tcbInfo.body,
    tcb_info_signature: tcbInfo.signature,
    qe_identity_issuer_chain: signingChain,
    qe_identity: identity.body,
    qe_identity_signature: identity.signature,
  }
  const root = new X509Certificate(signingChain.slice(signingChain.lastIndexOf('-----BEGIN')))
  const verifier = QuoteVerifier.newWithRootCa(root.raw)
  return (quote, now) =>
    verifier.verify(Buffer.from(quote), collateral, Math.floor(now.getTime() / 1000)).status
}

/** A document as the vendor serves it: the body's exact text, and its signature in hex. */
function signedDocument(document: Buffer): { body: string; signature: string } {
  const match = /^\{"\w+":(.*),"signature":"([0-9a-f]{128})"\}$/s.exec(document.toString())
  return { body: match![1]!, signature: match![2]! }
}
