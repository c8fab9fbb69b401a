// The broker's own API, `/v1`, typed. A token is sent over TLS or to this machine only.

import type { JsonObject } from '@casemate/ledger'
import { ClientConfigError, refuse } from './failure.ts'
import { type Http, type HttpAnswer, type HttpOptions, type HttpRequest, openHttp } from './http.ts'
import { resourcePath } from './secret.ts'
import type {
  AdminToken,
  Attestation,
  AttestationFilter,
  AttestationSummary,
  BrokerInfo,
  CreatedToken,
  Explanation,
  KeyDescription,
  LedgerEntry,
  ListedDocument,
  NamedDocument,
  Page,
  PageRequest,
  Recorded,
  ReleaseRule,
  Role,
  SecretMetadata,
  SecretStored,
} from './wire.ts'

/** Who administers which broker. */
export interface AdminOptions extends HttpOptions {
  /** `cmt_…`, as `casemate token create` showed it; or where to get it, asked as each request is sent. */
  readonly token: string | (() => string)
}

/** The state that a change expects: an ETag, `'new'` (nothing must exist yet) or `'any'`. */
export type Expected = { readonly etag: string } | 'new' | 'any'

/** Documents of one kind under `/v1`. */
export interface Documents<Document> {
  list(page?: PageRequest): Promise<Page<ListedDocument>>
  get(name: string): Promise<NamedDocument>
  put(name: string, document: Document, expected: Expected): Promise<Recorded>
  delete(name: string): Promise<Recorded>
}

/** The whole of `/v1`. */
export interface Admin {
  readonly secrets: {
    list(page?: PageRequest): Promise<Page<SecretMetadata>>
    get(path: string): Promise<SecretMetadata>
    put(path: string, content: Uint8Array, expected: Expected): Promise<SecretStored>
    /** Deletes all of it, or one version. */
    delete(path: string, version: number | 'all'): Promise<Recorded>
  }
  readonly policies: Documents<JsonObject> & {
    test(
      name: string,
      what: ({ evidence: string; at?: string } | { attestationId: string }) & Endorsed,
    ): Promise<Explanation>
  }
  readonly references: Documents<JsonObject>
  readonly rules: Documents<ReleaseRule> & {
    dryRun(name: string, what: { rule?: ReleaseRule; limit?: number }): Promise<JsonObject>
  }
  readonly attestations: {
    list(
      verdict: 'accepted' | 'refused' | 'any',
      page?: PageRequest,
      filter?: AttestationFilter,
    ): Promise<Page<AttestationSummary>>
    get(id: string): Promise<Attestation>
    evidence(id: string): Promise<Uint8Array>
  }
  readonly ledger: {
    /** `asc`, oldest first, unless told otherwise. */
    entries(page?: PageRequest & { readonly order?: 'asc' | 'desc' }): Promise<Page<LedgerEntry>>
    entry(index: number): Promise<LedgerEntry>
    /** Erases the content of an entry; its commitment stays, and the tree with it. */
    erase(index: number): Promise<Recorded>
    receipt(index: number): Promise<JsonObject>
    consistency(
      from: number,
      to: number,
    ): Promise<{ readonly proof: readonly string[]; readonly checkpoint: string }>
  }
  readonly tokens: {
    list(page?: PageRequest): Promise<Page<AdminToken>>
    create(token: { name: string; role: Role; expiresAt: string }): Promise<CreatedToken>
    delete(id: string): Promise<Recorded>
  }
  readonly keys: {
    list(): Promise<Page<KeyDescription>>
    rotate(key: 'kek' | 'signing'): Promise<Recorded & { readonly key: KeyDescription }>
    /** Forgets an old version of the key-encryption key, and with it the backups that need it. */
    retire(version: number): Promise<Recorded>
  }
  /** Evidence in, explanation out; `policy` is a stored policy's name. */
  verify(request: { evidence: string; at?: string; policy?: string } & Endorsed): Promise<Explanation>
}

/** Files of endorsements in base64, for one question alone. */
interface Endorsed {
  readonly endorsements?: readonly string[]
}

/** Opens `/v1` for an administrator. @throws {ClientConfigError} url-invalid, url-insecure */
export function openAdmin(options: AdminOptions): Admin {
  const http = openHttp(options)
  if (!http.secure) {
    throw new ClientConfigError(
      'url-insecure',
      `an administrator’s token is not sent to ${http.url}, which is neither https nor this machine`,
      'use the https URL of the broker',
    )
  }
  const api = new Api(http, options.token)
  return {
    secrets: secretsOf(api),
    policies: {
      ...documentsOf<JsonObject>(api, 'policies'),
      test: (name, what) =>
        api.json({ method: 'POST', path: `/v1/policies/${segment(name)}/test`, body: what }),
    },
    references: documentsOf<JsonObject>(api, 'references'),
    rules: {
      ...documentsOf<ReleaseRule>(api, 'rules'),
      dryRun: (name, what) =>
        api.json({ method: 'POST', path: `/v1/rules/${segment(name)}/dry-run`, body: what }),
    },
    attestations: attestationsOf(api),
    ledger: ledgerOf(api),
    tokens: {
      list: page => api.page('/v1/tokens', page),
      create: token => api.json({ method: 'POST', path: '/v1/tokens', body: token }),
      delete: id => api.json({ method: 'DELETE', path: `/v1/tokens/${segment(id)}` }),
    },
    keys: {
      list: () => api.page('/v1/keys'),
      rotate: key => api.json({ method: 'POST', path: '/v1/keys/rotate', body: { key } }),
      retire: version => api.json({ method: 'POST', path: '/v1/keys/retire', body: { key: 'kek', version } }),
    },
    verify: request => api.json({ method: 'POST', path: '/v1/verify', body: request }),
  }
}

/** The answer of a broker to anyone. @throws {Unavailable} */
export async function fetchInfo(options: HttpOptions): Promise<BrokerInfo> {
  const answer = await openHttp(options).send({ path: '/v1/info' })
  return objectOf(answer) as unknown as BrokerInfo
}

/** Octets that anyone may read, e.g. `/log/checkpoint`. @throws {Unavailable} @throws {BrokerRefusal} */
export async function fetchPublic(options: HttpOptions, path: string): Promise<Uint8Array> {
  return (await openHttp(options).send({ path })).bytes
}

/** Every item of a paged list, page after page. */
export async function* itemsOf<Item>(read: (page: PageRequest) => Promise<Page<Item>>): AsyncGenerator<Item> {
  let cursor: string | null = null
  do {
    const page: Page<Item> = await read(cursor === null ? {} : { cursor })
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}

class Api {
  readonly #http: Http
  readonly #token: AdminOptions['token']

  constructor(http: Http, token: AdminOptions['token']) {
    this.#http = http
    this.#token = token
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const token = typeof this.#token === 'string' ? this.#token : this.#token()
    return this.#http.send({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } })
  }

  /** The shapes are the server's schemas; what is checked here is that it is an object at all. */
  async json<Shape>(request: HttpRequest): Promise<Shape> {
    const answer = await this.send(request)
    if (answer.bytes.length === 0) return {} as Shape
    return objectOf(answer) as Shape
  }

  async page<Item>(
    path: string,
    page: PageRequest = {},
    query: Record<string, string> = {},
  ): Promise<Page<Item>> {
    const search = new URLSearchParams(query)
    if (page.limit !== undefined) search.set('limit', String(page.limit))
    if (page.cursor !== undefined) search.set('cursor', page.cursor)
    const answer = await this.json<Page<Item>>({
      path: search.size === 0 ? path : `${path}?${search.toString()}`,
    })
    const { items } = answer
    const next = answer.next ?? null
    const isList = Array.isArray(items) && items.every(item => typeof item === 'object' && item !== null)
    if (isList && (next === null || typeof next === 'string')) return { items, next }
    throw refuse('response-malformed', `the answer to ${path} is not a list`)
  }
}

function objectOf(answer: HttpAnswer): object {
  const value = answer.json()
  if (typeof value === 'object' && value !== null) return value
  throw refuse('response-malformed', 'the broker’s answer is not a JSON object')
}

function segment(name: string): string {
  return encodeURIComponent(name)
}

function conditionOf(expected: Expected): Record<string, string> {
  if (expected === 'any') return {}
  return expected === 'new' ? { 'if-none-match': '*' } : { 'if-match': expected.etag }
}

function secretsOf(api: Api): Admin['secrets'] {
  const at = (path: string): string => `/v1/secrets/${resourcePath(path)}`
  return {
    list: page => api.page('/v1/secrets', page),
    get: path => api.json({ path: at(path) }),
    put: (path, content, expected) =>
      api.json({ method: 'PUT', path: at(path), body: content, headers: conditionOf(expected) }),
    delete: (path, version) =>
      api.json({ method: 'DELETE', path: version === 'all' ? at(path) : `${at(path)}?version=${version}` }),
  }
}

function documentsOf<Document>(api: Api, kind: string): Documents<Document> {
  const at = (name: string): string => `/v1/${kind}/${segment(name)}`
  return {
    list: page => api.page(`/v1/${kind}`, page),
    get: async name => {
      const answer = await api.send({ path: at(name) })
      return { ...(objectOf(answer) as Omit<NamedDocument, 'etag'>), etag: answer.headers.get('etag') }
    },
    put: (name, document, expected) =>
      api.json({ method: 'PUT', path: at(name), body: document, headers: conditionOf(expected) }),
    delete: name => api.json({ method: 'DELETE', path: at(name) }),
  }
}

function attestationsOf(api: Api): Admin['attestations'] {
  return {
    list: (verdict, page, filter = {}) =>
      api.page('/v1/attestations', page, { ...filter, ...(verdict === 'any' ? {} : { verdict }) }),
    get: id => api.json({ path: `/v1/attestations/${segment(id)}` }),
    evidence: async id => (await api.send({ path: `/v1/attestations/${segment(id)}/evidence` })).bytes,
  }
}

function ledgerOf(api: Api): Admin['ledger'] {
  return {
    entries: ({ order, ...page } = {}) =>
      api.page('/v1/ledger/entries', page, order === undefined ? {} : { order }),
    entry: index => api.json({ path: `/v1/ledger/entries/${index}` }),
    erase: index => api.json({ method: 'DELETE', path: `/v1/ledger/entries/${index}` }),
    receipt: index => api.json({ path: `/v1/ledger/receipts/${index}` }),
    consistency: (from, to) => api.json({ path: `/v1/ledger/consistency?from=${from}&to=${to}` }),
  }
}
