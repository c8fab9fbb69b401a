// The broker and every client demand the same of the enclave: this very code, of this signer, not for debugging, on a
// simulated platform by name. One document for both, so that nobody can be convinced of less than the other.
import { mergeReferenceValues, parsePolicy, parseReferenceValues, workloadOf } from '@casemate/appraisal'
import type { PeerDemands } from '@casemate/channel'
import type { JsonObject, ReleaseRule } from '@casemate/client'
import {
  type AttestationDriver,
  REPORT_DATA_SIZE,
  type SimulatedPlatform,
  type SimulatedTrust,
  simulatedDriver,
} from '@casemate/enclave'
import { readEndorsements, recognise, verify } from '@casemate/evidence'

/** Who an enclave is, as the world sees it. */
export interface EnclaveIdentity {
  /** Hex. */
  readonly mrEnclave: string
  /** Hex. */
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
}

export type PlatformKind = AttestationDriver['kind']

/** Of the simulated machine below the enclave, where it is not the processor that measures the enclave. */
const MACHINE = 'machine'

/** For the broker’s policy called `default`, and for clients. */
export function policyFor(identity: EnclaveIdentity, kind: PlatformKind): JsonObject {
  const { mrEnclave, mrSigner, isvProdId, isvSvn } = identity
  const measuredBy = kind === 'sgx' ? 'processor' : 'host'
  return {
    extends: 'strict',
    name: 'default',
    version: 1,
    kinds: [kind],
    // Nothing here runs on hardware that keeps secrets; a policy for production leaves this out.
    simulated: 'any',
    // A host that measures the enclave is believed only if it is known itself.
    workloads: kind === 'sgx' ? 'any' : [MACHINE],
    enclave: { mrEnclave, mrSigner, isvProdId, minIsvSvn: isvSvn, debug: false, measuredBy },
    // AMD publishes no status for firmware, and a simulator has none.
    snp: { revocation: 'any', minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
  }
}

/** The simulated machine, as one gets reference values in real life: by measuring one that is known to be good. */
export async function referencesFor(
  platform: SimulatedPlatform,
  kind: PlatformKind,
): Promise<JsonObject | null> {
  if (kind === 'sgx') return null
  const { evidence } = await simulatedDriver(platform, { kind }).quote(new Uint8Array(REPORT_DATA_SIZE))
  const { claims } = await verify(recognise(evidence), readEndorsements(platform.trust.endorsements), {
    now: new Date(),
    anchors: platform.trust.anchors,
    minTcbEvaluationDataNumber: 'any',
  })
  return { workloads: [{ ...workloadOf(claims, MACHINE) }] }
}

export function ruleFor(secrets: string, { mrEnclave, mrSigner }: EnclaveIdentity): ReleaseRule {
  return {
    secrets,
    expression: `claims.enclave.mrEnclave == "${mrEnclave}" && claims.enclave.mrSigner == "${mrSigner}"`,
    message: 'the data key goes to this enclave of this signer only',
    enabled: true,
  }
}

export function demandsOf(
  policy: JsonObject,
  references: JsonObject | null,
  trust: SimulatedTrust,
): PeerDemands {
  return {
    policy: parsePolicy(policy),
    references: references === null ? mergeReferenceValues() : parseReferenceValues(references),
    endorsements: readEndorsements(trust.endorsements),
    anchors: trust.anchors,
    now: () => new Date(),
  }
}
