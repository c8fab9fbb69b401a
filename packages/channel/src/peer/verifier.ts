// Remembers verdicts: evidence is verified once for each certificate and each set of demands, and once only while
// several sessions of a new peer begin together. What is remembered is bounded and never outlives a window.
import { BoundedMap } from '@casemate/evidence'
import { toHex } from '@casemate/evidence/bytes'
import { ChannelError } from '../errors.ts'
import { sha256 } from '../sha256.ts'
import { appraiseCertificate, type TlsCertificate, type Verdict } from './appraise.ts'
import type { PeerDemands } from './demands.ts'

/** About 20 KiB each with its steps; a service has as many peers as it has machines. */
const MAX_VERDICTS = 1024

/** Others wait no longer than this: whoever asks for endorsements may never be answered. */
const MAX_JOINED_MS = 10_000

const VERIFIERS = new WeakMap<PeerDemands, PeerVerifier>()

/** The one verifier of these demands. */
export function verifierOf(demands: PeerDemands): PeerVerifier {
  let verifier = VERIFIERS.get(demands)
  if (verifier === undefined) {
    verifier = new PeerVerifier(demands)
    VERIFIERS.set(demands, verifier)
  }
  return verifier
}

export class PeerVerifier {
  readonly demands: PeerDemands
  readonly #verdicts = new BoundedMap<string, Verdict>(MAX_VERDICTS)
  readonly #underWay = new Map<string, { readonly finding: Promise<Verdict>; readonly begunMs: number }>()

  constructor(demands: PeerDemands) {
    this.demands = demands
  }

  /**
   * @param after the end of a verdict that is about to end: another is looked for, with whatever endorsements there are by
   *   now. Of all sessions with a peer the first looks, the others take what it finds.
   * @throws {ChannelError} as `appraiseCertificate`
   */
  async verdict(certificate: TlsCertificate, after: Date | null = null): Promise<Verdict> {
    const key = toHex(sha256(certificate.raw))
    const known = this.#verdicts.get(key)
    const now = this.demands.now()
    const isNow = known !== undefined && known.validFrom <= now && now <= known.peer.validUntil
    if (isNow && (after === null || known.peer.validUntil > after)) return known
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined && performance.now() - underWay.begunMs < MAX_JOINED_MS)
      return underWay.finding
    return this.#find(key, certificate)
  }

  async #find(key: string, certificate: TlsCertificate): Promise<Verdict> {
    const finding = appraiseCertificate(certificate, this.demands)
    const isLatest = (): boolean => this.#underWay.get(key)?.finding === finding
    this.#underWay.set(key, { finding, begunMs: performance.now() })
    try {
      const verdict = await finding
      // One that took so long that another was begun must not undo what that one has found.
      if (isLatest()) this.#verdicts.set(key, verdict)
      return verdict
    } catch (error) {
      // Found wanting, it is not let in again on what was found before; without endorsements nothing was found.
      if (!(error instanceof ChannelError) || error.code !== 'endorsements-unavailable') {
        this.#verdicts.delete(key)
      }
      throw error
    } finally {
      if (isLatest()) this.#underWay.delete(key)
    }
  }
}
