// A broker that does only the wire, with jose and node:crypto, so that each check of the client can be made to fail alone.
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, FlattenedEncrypt, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'

/** Deviations from a good broker. */
export interface Faults {
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean
  claims?: (claims: Record<string, unknown>) => Record<string, unknown>
  /** Sign with a key that the JWKS does not have. */
  strangerSigns?: boolean
  jwe?: (jwe: Record<string, unknown>) => Record<string, unknown>
  encryptTo?: JWK
  selectedHash?: string
}

export interface FakeBroker {
  readonly url: string
  readonly seen: { path: string; headers: IncomingMessage['headers']; body: Uint8Array; method: string }[]
  faults: Faults
  close(): Promise<void>
}

export const SECRET = new TextEncoder().encode('correct horse battery staple')

/** Plain reimplementation of RFC 8785 for objects of ASCII strings: sorted, compact. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  )
}

export function expectedReportData(nonce: string, key: unknown, hash = 'sha384'): Uint8Array {
  const text = JSON.stringify(sorted({ 'additional-evidence': '', nonce, 'tee-pubkey': key }))
  const reportData = new Uint8Array(64)
  reportData.set(createHash(hash).update(text).digest())
  return reportData
}

export async function startFakeBroker(): Promise<FakeBroker> {
  const signing = await generateKeyPair('ES256')
  const stranger = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(signing.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const sessions = new Map<string, { nonce: string; key?: JWK; token?: string }>()
  const seen: FakeBroker['seen'] = []

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const path = request.url ?? ''
    seen.push({ path, headers: request.headers, body: new Uint8Array(body), method: request.method ?? '' })
    if (broker.faults.answer?.(request, response) === true) return
    if (path === '/.well-known/jwks.json') return send(response, 200, { keys: [jwk] })
    if (path === '/kbs/v0/auth') {
      const id = randomBytes(16).toString('hex')
      const nonce = randomBytes(32).toString('base64')
      sessions.set(id, { nonce })
      response.setHeader('set-cookie', `kbs-session-id=${id}; HttpOnly; Path=/kbs/v0`)
      const extra = broker.faults.selectedHash
      return send(response, 200, {
        nonce,
        'extra-params': extra === undefined ? '' : { 'selected-hash-algorithm': extra },
      })
    }
    const session = sessions.get(/kbs-session-id=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '')
    if (path === '/kbs/v0/attest') {
      const told = JSON.parse(body.toString())
      const runtime = told['runtime-data']
      const evidence = told['tee-evidence'].primary_evidence
      const wanted = expectedReportData(runtime.nonce, runtime['tee-pubkey'], broker.faults.selectedHash)
      if (
        session === undefined ||
        session.nonce !== runtime.nonce ||
        evidence.report_data !== Buffer.from(wanted).toString('base64')
      ) {
        return send(response, 401, { type: errorType('AttestationError'), detail: 'nonce-mismatch: no' })
      }
      session.key = runtime['tee-pubkey']
      session.token = await sign(runtime)
      return send(response, 200, { token: session.token })
    }
    if (path.startsWith('/kbs/v0/resource/')) {
      const bearer = request.headers.authorization?.replace('Bearer ', '')
      const owner = [...sessions.values()].find(one => one.token !== undefined && one.token === bearer)
      if (owner?.key === undefined) {
        return send(response, 401, {
          type: errorType('TokenNotFound'),
          detail: 'Attestation Token not found',
        })
      }
      if (path.endsWith('/missing')) {
        return send(response, 404, {
          type: errorType('ResourceNotFound'),
          detail: 'resource-missing: there is no such secret',
        })
      }
      return send(response, 200, await encrypt(broker.faults.encryptTo ?? owner.key))
    }
    return send(response, 404, {
      error: { code: 'route-missing', message: 'nothing here', hint: 'look elsewhere' },
    })
  }

  async function sign(runtime: { nonce: string; 'tee-pubkey': unknown }): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const good: Record<string, unknown> = {
      iss: 'casemate',
      aud: 'casemate',
      iat: now,
      nbf: now,
      exp: now + 300,
      jti: randomBytes(8).toString('hex'),
      nonce: runtime.nonce,
      submods: {
        cpu0: {
          'ear.veraison.annotated-evidence': { runtime_data_claims: { 'tee-pubkey': runtime['tee-pubkey'] } },
        },
      },
    }
    return new SignJWT(broker.faults.claims?.(good) ?? good)
      .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'JWT' })
      .sign(broker.faults.strangerSigns === true ? stranger.privateKey : signing.privateKey)
  }

  async function encrypt(key: JWK): Promise<Record<string, unknown>> {
    const jwe = await new FlattenedEncrypt(SECRET)
      .setProtectedHeader({ alg: key.alg!, enc: 'A256GCM' })
      .encrypt(await importJWK(key))
    return broker.faults.jwe?.({ ...jwe }) ?? { ...jwe }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(error =>
      send(response, 500, { error: { code: 'internal', message: String(error) } }),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const broker: FakeBroker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    faults: {},
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return broker
}

export function errorType(variant: string): string {
  return `https://github.com/confidential-containers/kbs/errors/${variant}`
}

export function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
