// What the broker and every client demand of the enclave: this very code, of this signer, not for debugging, on a
// simulated platform by name. One document for both, so that nobody can be convinced of less than the other.
import { mergeReferenceValues, parsePolicy } from '@casemate/appraisal'
import type { PeerDemands } from '@casemate/channel'
import type { JsonObject, ReleaseRule } from '@casemate/client'
import type { SimulatedTrust } from '@casemate/enclave'
import { readEndorsements } from '@casemate/evidence'

/** Who an enclave is, as the world sees it. */
export interface EnclaveIdentity {
  /** Hex. */
  readonly mrEnclave: string
  /** Hex. */
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
}

/** For the broker’s policy called `default`, and for clients. */
export function policyFor({ mrEnclave, mrSigner, isvProdId, isvSvn }: EnclaveIdentity): JsonObject {
  return {
    extends: 'strict',
    name: 'default',
    version: 1,
    // An SGX processor measures the enclave itself; a TDX or SEV-SNP machine would have to be known as well.
    kinds: ['sgx'],
    // Nothing here runs on hardware that keeps secrets; a policy for production leaves this out.
    simulated: 'any',
    workloads: 'any',
    sgx: { mrEnclave, mrSigner, isvProdId, minIsvSvn: isvSvn },
  }
}

export function ruleFor(secrets: string, { mrEnclave, mrSigner }: EnclaveIdentity): ReleaseRule {
  return {
    secrets,
    expression: `claims.sgx.mrEnclave == "${mrEnclave}" && claims.sgx.mrSigner == "${mrSigner}" && !claims.debug`,
    message: 'the data key goes to this enclave of this signer only',
    enabled: true,
  }
}

export function demandsOf(policy: JsonObject, trust: SimulatedTrust): PeerDemands {
  return {
    policy: parsePolicy(policy),
    references: mergeReferenceValues(),
    endorsements: readEndorsements(trust.endorsements),
    anchors: trust.anchors,
    now: () => new Date(),
  }
}
