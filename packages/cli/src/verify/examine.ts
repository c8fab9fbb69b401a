// One piece of evidence through the whole way: recognise, verify, appraise. Nothing is thrown for evidence that is
// not acceptable: the examination says how far it came, what was checked, and why it ends there.

import {
  type AppraisalPolicy,
  type AppraisalResult,
  appraise,
  type ReferenceValues,
} from '@casemate/appraisal'
import {
  type Claims,
  type Endorsements,
  type ParsedEvidence,
  Refusal,
  recognise,
  recogniseEndorsements,
  type Step,
  type TrustAnchor,
  verify,
} from '@casemate/evidence'
import { evidenceInYaml } from './yaml-evidence.ts'

/** What an examination goes by. */
export interface ExaminationContext {
  readonly now: Date
  readonly anchors: readonly TrustAnchor[]
  readonly policy: AppraisalPolicy
  readonly references: ReferenceValues
  /** Endorsements for this evidence: those given, and on request those fetched. */
  readonly endorsementsFor: (evidence: ParsedEvidence) => Promise<Endorsements>
}

/** What an examination found; each part is null if it did not come so far. */
export interface Examination {
  readonly evidence: ParsedEvidence | null
  readonly steps: readonly Step[]
  readonly refusal: Refusal | null
  readonly claims: Claims | null
  /** The first end of a window that the verdict depends on. */
  readonly validUntil: Date | null
  readonly result: AppraisalResult | null
  readonly accepted: boolean
}

const NOTHING: Examination = {
  evidence: null,
  steps: [],
  refusal: null,
  claims: null,
  validUntil: null,
  result: null,
  accepted: false,
}

const EMPTY = new Refusal('evidence-malformed', 'it is empty: 0 bytes', {
  hint: 'was the quote written to it? copy it again from where it was made',
})

/** Examines evidence outside of any session: what it binds is shown, and not compared. */
export async function examine(bytes: Uint8Array, context: ExaminationContext): Promise<Examination> {
  if (bytes.length === 0) return { ...NOTHING, refusal: EMPTY }
  let evidence: ParsedEvidence
  try {
    evidence = await recogniseAny(bytes)
  } catch (error) {
    return { ...NOTHING, refusal: asEndorsement(bytes) ?? refusalOrThrow(error) }
  }
  try {
    const endorsements = await context.endorsementsFor(evidence)
    const { claims, steps, validUntil } = await verify(evidence, endorsements, {
      now: context.now,
      anchors: context.anchors,
      // The policy has a minimum of its own, which explains itself better than a refusal.
      minTcbEvaluationDataNumber: 'any',
    })
    const result = appraise({
      claims,
      references: context.references,
      policy: context.policy,
      binding: { reportData: 'any', initDataDigest: 'any' },
      now: context.now,
    })
    const ends = result.freshUntil === null ? validUntil : earlier(validUntil, new Date(result.freshUntil))
    return { evidence, steps, refusal: null, claims, validUntil: ends, result, accepted: result.accepted }
  } catch (error) {
    const refusal = refusalOrThrow(error)
    return { ...NOTHING, evidence, steps: refusal.steps, refusal }
  }
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b
}

/** What recognise knows, and the same in YAML. @throws {Refusal} */
async function recogniseAny(bytes: Uint8Array): Promise<ParsedEvidence> {
  try {
    return recognise(bytes)
  } catch (error) {
    const inYaml = await evidenceInYaml(bytes)
    if (inYaml !== null) return inYaml
    throw error
  }
}

/** DER of a certificate or a list, JSON, PEM, tables that begin with a VCEK, VLEK, ASK or ARK: no damaged quote does. */
const STARTS: readonly (readonly number[])[] = [
  [0x30, 0x82],
  [0x7b],
  [0x2d, 0x2d],
  [0x63, 0xda, 0x75, 0x8d],
  [0xa8, 0x07, 0x4b, 0xc2],
  [0x4a, 0xb7, 0xb3, 0x79],
  [0xc0, 0xb4, 0x06, 0xa4],
]

/** What a vendor signs about its hardware is often saved beside the evidence, and taken for it. */
function asEndorsement(bytes: Uint8Array): Refusal | null {
  if (!STARTS.some(start => start.every((octet, index) => bytes[index] === octet))) return null
  try {
    if (recogniseEndorsements({ name: 'it', bytes }) === null) return null
  } catch (error) {
    // Malformed, and yet nothing else: such as a certificate with a signature that is not handled.
    if (!(error instanceof Refusal)) throw error
  }
  return new Refusal('evidence-malformed', 'it is an endorsement or a certificate, and no evidence', {
    hint: 'give it by --endorsements, beside the quote or report that it is for; the flag stands before each path of its own',
  })
}

function refusalOrThrow(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}
