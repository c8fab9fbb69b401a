// The REST API that software in a guest of Confidential Containers knows (guest-components, api-server-rest): secrets,
// tokens and evidence for whoever asks. Paths, parameters, bodies and texts are theirs.

import type { Agent } from '../standing/agent.ts'
import { type Allowed, isSecretPath } from './allowed-paths.ts'
import * as answer from './guest-answer.ts'
import type { GuestTokens } from './guest-tokens.ts'

/** The parts of the API, in the words of api-server-rest's `--features`. */
export const FEATURES = ['all', 'resource', 'attestation'] as const
/** One of {@link FEATURES}. */
export type Feature = (typeof FEATURES)[number]

/** The parts that are served, and whom they ask. */
export interface GuestRoutes {
  readonly agent: Pick<Agent, 'getSecret' | 'attester'>
  readonly tokens: Pick<GuestTokens, 'get'>
  readonly feature: Feature
  readonly allowed: Allowed
  readonly version: string
  readonly simulated: boolean
}

export interface GuestRequest {
  readonly method: string
  /** As it stands in the request line, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Uint8Array
}

/** REPORT_DATA of every TEE, in bytes. */
const REPORT_DATA_BYTES = 64

/** Answers one request; what cannot be done is an answer too. */
export async function answerGuest(routes: GuestRoutes, request: GuestRequest): Promise<answer.GuestAnswer> {
  try {
    const [, root, name, ...rest] = request.path.split('/')
    if (root === 'info' && name === undefined) return info(routes, request)
    if (root === 'cdh' && name === 'resource') return await resource(routes, request, rest.join('/'))
    if (root === 'aa' && name !== undefined && rest.length === 0) {
      return await attestation(routes, request, name)
    }
    return answer.NOT_FOUND
  } catch (error) {
    return answer.failed(error)
  }
}

function info({ agent, feature, version, simulated }: GuestRoutes, { method }: GuestRequest) {
  if (method !== 'GET') return answer.NOT_ALLOWED
  const tee = feature === 'resource' ? {} : { tee: agent.attester.tee }
  // Members that its clients do not know are ignored by them; what is simulated says so everywhere.
  return answer.json({
    version: `casemate ${version}`,
    ...tee,
    additional_tees: [],
    feature,
    ...(simulated ? { simulated } : {}),
  })
}

async function resource({ agent, feature, allowed }: GuestRoutes, { method }: GuestRequest, path: string) {
  if (feature === 'attestation') return answer.NO_RESOURCE
  if (method !== 'GET') return answer.NOT_ALLOWED
  if (!isSecretPath(path)) return answer.BAD_REQUEST
  if (!allowed(path)) return answer.FORBIDDEN
  return answer.octets(await agent.getSecret(path))
}

async function attestation(routes: GuestRoutes, request: GuestRequest, name: string) {
  const { agent, feature, tokens } = routes
  if (feature === 'resource') return answer.NO_ATTESTATION
  const expected = name === 'aael' ? 'POST' : 'GET'
  const known = ['token', 'evidence', 'additional-evidence', 'aael'].includes(name)
  if (!known) return answer.NOT_FOUND
  if (request.method !== expected) return answer.NOT_ALLOWED
  if (name === 'aael') return extend(request.body)
  if (name === 'token') return token(tokens, request.query.get('token_type'))
  const reportData = reportDataOf(request.query)
  if (reportData === null) return answer.BAD_REQUEST
  if (name === 'additional-evidence') return answer.octets(agent.attester.additionalEvidence ?? '')
  return answer.octets(JSON.stringify(await agent.attester.evidence(reportData)))
}

async function token(tokens: GuestRoutes['tokens'], type: string | null): Promise<answer.GuestAnswer> {
  if (type === 'kbs') {
    const { token, pem } = await tokens.get()
    return answer.octets(JSON.stringify({ token, tee_keypair: pem }))
  }
  // The broker is the attestation service too: its result alone, as text.
  if (type === 'coco_as') return answer.octets((await tokens.get()).token)
  return answer.BAD_REQUEST
}

/** `runtime_data` as it is, or base64url without padding where `encoding=base64` says so; filled up with zeros. */
function reportDataOf(query: URLSearchParams): Uint8Array | null {
  const text = query.get('runtime_data')
  const encoding = query.get('encoding')
  if (text === null || (encoding !== null && encoding !== 'base64')) return null
  if (encoding === 'base64' && !/^[\w-]*$/.test(text)) return null
  const bytes = Buffer.from(text, encoding === null ? 'utf8' : 'base64url')
  if (bytes.length > REPORT_DATA_BYTES) return null
  const reportData = new Uint8Array(REPORT_DATA_BYTES)
  reportData.set(bytes)
  return reportData
}

/** LIMIT: no platform's run-time register is extended yet, and the caller is told so in the words that it knows. */
function extend(body: Uint8Array): answer.GuestAnswer {
  if (!isEvent(body)) return answer.BAD_REQUEST
  return answer.json({
    success: 'false',
    message: 'The platform does not support runtime measurement',
  })
}

function isEvent(body: Uint8Array): boolean {
  try {
    const event: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    const members = ['domain', 'operation', 'content'] as const
    return members.every(name => typeof Reflect.get(Object(event), name) === 'string')
  } catch {
    return false
  }
}
