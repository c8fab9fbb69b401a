// The handshake: POST auth gives a challenge, POST attest takes the evidence and answers with the attestation result.

import { KINDS, type Kind } from '@casemate/evidence'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type InitData, readInitData } from '../attestation/init-data.ts'
import type { AttestRequest } from '../attestation/request.ts'
import { countSessionless, recordUnread, type UnreadRecords } from '../attestation/unread.ts'
import { clientOf } from '../client-address.ts'
import { BrokerError } from '../errors.ts'
import { toBrokerError } from '../http/error-answer.ts'
import type { Challenge } from '../store/store.ts'
import { readStatement } from './additional-evidence.ts'
import { answerKbsError } from './answer.ts'
import { parseJson, readAttest, readAuth, readLegacyAttest } from './body.ts'
import { readCookie, setCookie } from './cookie.ts'
import { countAttestation } from './counts.ts'
import type { KbsParts } from './parts.ts'
import { DEFAULT_HASH_ALGORITHM, expectedReportData, selectHash } from './runtime-data.ts'
import type { ChallengedSession, SealedSession } from './session.ts'
import type { TeeKey } from './tee-key.ts'
import { UsedChallenges } from './used-challenges.ts'
import { parseVersion } from './version.ts'

/** A challenge's body, in bytes: version, TEE and a few names of digests. */
const MAX_CHALLENGE_BYTES = 1024

/** A TD sends the event log of its firmware, of up to 1 MiB, in base64; with quote and init-data, 1.7 MiB. */
const MAX_ATTESTATION_BYTES = 1792 * 1024

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body of an attestation is read: the session whose challenge it answers. */
    challenged: ChallengedSession | null
  }
}

export function registerHandshake(scope: FastifyInstance, parts: KbsParts): void {
  const { metrics } = parts
  const used = new UsedChallenges()

  scope.post(
    '/auth',
    { config: { access: 'public', limited: 'auth' }, bodyLimit: MAX_CHALLENGE_BYTES },
    async (request, reply) => {
      metrics.authRequests.inc()
      try {
        const answer = await challenge(parts, request, reply)
        metrics.authSuccesses.inc()
        return answer
      } catch (error) {
        metrics.authErrors.inc()
        throw error
      }
    },
  )

  // Before anything is read: nobody's body is, and what cannot be read uses the challenge up as well.
  scope.decorateRequest('challenged', null)
  const onRequest = async (request: FastifyRequest) => {
    request.challenged = await answering(parts, used, request)
  }
  // Each challenge is answered once, but a body may cost more than a challenge, and one cookie may come with many.
  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    void refuse(parts, error, { request, reply })
  }
  scope.post(
    '/attest',
    {
      config: { access: 'guest', limited: 'attest' },
      bodyLimit: Math.min(MAX_ATTESTATION_BYTES, parts.config.bodyLimit),
      onRequest,
      errorHandler,
    },
    (request, reply) => attest(parts, request, reply),
  )
}

async function challenge(parts: KbsParts, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const body = readAuth(request.body)
  const version = parseVersion(body.version)
  const tee = parseTee(body.tee)
  const hash = version === '0.4.0' ? selectHash(body['extra-params']) : DEFAULT_HASH_ALGORITHM
  const session = parts.sessions.challenge({ version, tee, hash })
  giveCookie(parts, request, reply, await parts.sessions.seal(session, []))
  // Guests before 0.4.0 parse a string here, and all guests take its absence for the default.
  const extraParams = hash === DEFAULT_HASH_ALGORITHM ? '' : { 'selected-hash-algorithm': hash }
  return { nonce: session.nonce, 'extra-params': extraParams }
}

/** Every refusal in a session that was good is on record before the guest learns of it; all others are counted. */
async function refuse(
  records: UnreadRecords,
  error: unknown,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  const session = request.challenged
  const [client, known] = [clientOf(request.ip), toBrokerError(error)]
  // Another process may have answered the challenge while the body came: that it is on record is enough.
  if (session === null || known.code === 'session-invalid') {
    countSessionless(records, client, known)
    return answerKbsError(known, request, reply)
  }
  try {
    const unread = { client, kind: session.tee as Kind, protocolVersion: session.version, error: known }
    const id = await recordUnread(records, { ...unread, challenge: challengeOf(session) })
    return answerKbsError(id === null ? known : ofAttestation(known, id), request, reply)
  } catch (failure) {
    return answerKbsError(failure, request, reply)
  }
}

function challengeOf({ nonce, endsAt }: ChallengedSession): Challenge {
  return { nonce, endsAt: new Date(endsAt) }
}

/** The guest learns where its refusal is on record. */
function ofAttestation({ code, message, detail, cause }: BrokerError, attestation: string): BrokerError {
  return new BrokerError(code, message, { ...detail, attestation, cause })
}

/** The session whose challenge this request answers, and no other ever will. */
async function answering(
  parts: KbsParts,
  used: UsedChallenges,
  request: FastifyRequest,
): Promise<ChallengedSession> {
  const session = await parts.sessions.openChallenged(readCookie(request.headers.cookie))
  if (used.use(session.nonce)) return session
  throw new BrokerError('session-invalid', 'this challenge was answered already; start again with auth')
}

async function attest(parts: KbsParts, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const session = request.challenged
  if (session === null) throw new BrokerError('session-missing', 'no session cookie; start with auth')
  const sent = readEvidence(parts, session, request.body)
  const tee = session.tee as Kind
  const toAttest: AttestRequest = {
    client: clientOf(request.ip),
    challenge: challengeOf(session),
    tee,
    primaryEvidence: sent.primaryEvidence,
    enclaveStatement: sent.enclaveStatement,
    reportData: expectedReportData({ ...session, ...sent, teeKey: sent.teeKey.jwk }),
    initData: sent.initData,
    runtimeData: {
      nonce: session.nonce,
      'tee-pubkey': sent.teeKey.jwk,
      'additional-evidence': sent.additionalEvidence,
    },
    protocolVersion: session.version,
  }
  const attested = await countAttestation(parts.metrics, tee, () => parts.pipeline.attest(toAttest))
  request.attestation = attested.id
  parts.subjects.keep(attested.id, attested.explanation)
  const next = {
    stage: 'attested',
    attestationId: attested.id,
    teeKey: sent.teeKey.jwk,
    version: session.version,
  } as const
  giveCookie(parts, request, reply, await parts.sessions.seal(next, [attested.expiresAt]))
  return { token: attested.token }
}

interface SentEvidence {
  readonly teeKey: TeeKey
  readonly primaryEvidence: unknown
  readonly additionalEvidence: string
  readonly enclaveStatement: string | null
  readonly initData: InitData | null
}

function readEvidence(parts: KbsParts, session: ChallengedSession, body: unknown): SentEvidence {
  if (session.version !== '0.4.0') {
    const sent = readLegacyAttest(body)
    const evidence = sent['tee-evidence']
    return {
      teeKey: parts.teeKeys.read(sent['tee-pubkey']),
      primaryEvidence: typeof evidence === 'string' ? parseJson(evidence, 'tee-evidence') : evidence,
      // The report data of these versions binds no such text, so that none can be believed.
      additionalEvidence: '',
      enclaveStatement: null,
      initData: null,
    }
  }
  const sent = readAttest(body)
  const { nonce } = sent['runtime-data']
  if (nonce !== session.nonce) {
    throw new BrokerError('nonce-mismatch', 'the nonce in the runtime data is not the one of this session')
  }
  const additionalEvidence = sent['tee-evidence'].additional_evidence
  const enclaveStatement = readStatement(additionalEvidence)
  return {
    teeKey: parts.teeKeys.read(sent['runtime-data']['tee-pubkey']),
    primaryEvidence: sent['tee-evidence'].primary_evidence,
    additionalEvidence,
    enclaveStatement,
    initData: sent['init-data'] ? readInitData(sent['init-data']) : null,
  }
}

/** Every kind that is verified; every other `tee` is refused at once. */
function parseTee(name: string): Kind {
  const tee = KINDS.find(known => known === name.toLowerCase())
  if (tee !== undefined) return tee
  throw new BrokerError('tee-unsupported', `evidence is verified here of ${KINDS.join(', ')} only`)
}

function giveCookie(
  { now }: Pick<KbsParts, 'now'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { token, expiresAt }: SealedSession,
): void {
  const secure = request.protocol === 'https'
  reply.header('set-cookie', setCookie(token, { now: now(), expires: expiresAt, secure }))
}
