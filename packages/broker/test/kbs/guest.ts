// A guest of the KBS protocol, written from the protocol and sharing no code with the broker: it canonicalises and
// hashes its runtime data by itself, keeps one cookie, and reads answers as the guests' client does.

import crypto from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { type GuestKey, openJwe, openLegacy } from './guest-jwe.ts'

/** The members of every JSON answer of the protocol, each there in its own. */
export interface Body {
  readonly nonce: string
  readonly 'extra-params': { readonly 'selected-hash-algorithm'?: string }
  readonly token: string
  readonly type: string
  readonly detail: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Body
  readonly text: string
}

/** What a guest of 0.4.0 sends to `attest`. */
export interface AttestBody {
  readonly 'init-data'?: unknown
  readonly 'runtime-data': { readonly nonce: string; readonly 'tee-pubkey': unknown }
  readonly 'tee-evidence': { readonly primary_evidence: unknown; readonly additional_evidence: string }
}

export interface GuestOptions {
  readonly app: FastifyInstance
  readonly key: GuestKey
  readonly tee: string
  /** `primary_evidence` for report data of 64 bytes; `digest` is what it begins with. */
  readonly evidence: (reportData: Buffer, digest: Buffer) => unknown
  readonly version?: string
  /** The earliest guests of 0.1.1 sent their evidence as JSON in a string. */
  readonly evidenceInString?: boolean
  readonly initData?: string
  readonly offered?: unknown
}

export class Guest {
  readonly options: GuestOptions
  cookie: string | null = null
  nonce = ''
  hash = 'sha384'
  token = ''

  constructor(options: GuestOptions) {
    this.options = options
  }

  /** All of it: handshake, and one secret decrypted. */
  async secret(path: string): Promise<string> {
    const attested = await this.handshake()
    if (attested.status !== 200)
      throw new Error(`attest: ${attested.status} ${JSON.stringify(attested.body)}`)
    const answer = await this.fetch(path)
    if (answer.status !== 200) throw new Error(`fetch: ${answer.status} ${JSON.stringify(answer.body)}`)
    return this.decrypt(answer)
  }

  async handshake(): Promise<Answer> {
    const challenged = await this.auth()
    if (challenged.status !== 200) return challenged
    return this.attest()
  }

  async auth(): Promise<Answer> {
    const { version = '0.4.0', tee, offered } = this.options
    const extra =
      offered === undefined
        ? version === '0.4.0'
          ? { 'supported-hash-algorithms': ['sha256', 'sha384', 'sha512', 'sm3'] }
          : ''
        : offered
    const answer = await this.send('POST', '/kbs/v0/auth', { version, tee, 'extra-params': extra })
    if (answer.status === 200) {
      this.nonce = answer.body.nonce
      this.hash = answer.body['extra-params']['selected-hash-algorithm'] ?? 'sha384'
    }
    return answer
  }

  async attest(changes: (body: AttestBody) => unknown = body => body): Promise<Answer> {
    const answer = await this.send('POST', '/kbs/v0/attest', changes(this.attestBody() as AttestBody))
    if (answer.status === 200) this.token = answer.body.token
    return answer
  }

  attestBody(additional = ''): unknown {
    const { version = '0.4.0', key, evidence, evidenceInString = false, initData } = this.options
    const keyJson = canonical(key.jwk)
    const text =
      version === '0.4.0'
        ? `{"additional-evidence":${JSON.stringify(additional)},"nonce":${JSON.stringify(this.nonce)},"tee-pubkey":${keyJson}}`
        : `{"nonce":${JSON.stringify(this.nonce)},"tee-pubkey":${keyJson}}`
    const digest = crypto.createHash(this.hash).update(text).digest()
    const primary = evidence(Buffer.concat([digest, Buffer.alloc(64 - digest.length)]), digest)
    if (version !== '0.4.0') {
      return {
        'tee-pubkey': key.jwk,
        'tee-evidence': evidenceInString ? JSON.stringify(primary) : primary,
      }
    }
    return {
      'init-data': initData === undefined ? null : { format: 'toml', body: initData },
      'runtime-data': { nonce: this.nonce, 'tee-pubkey': key.jwk },
      'tee-evidence': { primary_evidence: primary, additional_evidence: additional },
    }
  }

  fetch(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('GET', `/kbs/v0/resource/${path}`, undefined, headers)
  }

  decrypt({ text }: Answer): string {
    const { version, key } = this.options
    const jwe = JSON.parse(text) as Record<string, string>
    return (version === '0.1.1' ? openLegacy(jwe, key) : openJwe(jwe, key)).toString()
  }

  async send(
    method: 'GET' | 'POST' | 'DELETE' | 'PUT',
    url: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const answer = await this.options.app.inject({
      method,
      url,
      headers: {
        ...(this.cookie === null ? {} : { cookie: this.cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const cookies = [answer.headers['set-cookie'] ?? []].flat()
    for (const line of cookies) this.cookie = line.split(';')[0] ?? null
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: parse(answer.headers['content-type'], answer.payload) as Body,
      text: answer.payload,
    }
  }
}

function parse(type: unknown, payload: string): unknown {
  return String(type).startsWith('application/json') && payload !== '' ? JSON.parse(payload) : null
}

/** JCS for what a JWK is: an object of ASCII strings. */
function canonical(jwk: Readonly<Record<string, string>>): string {
  const members = Object.keys(jwk).sort()
  return `{${members.map(name => `${JSON.stringify(name)}:${JSON.stringify(jwk[name])}`).join(',')}}`
}
