import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { type Attester, attest, BrokerRefusal, generateTeeKey, getSecret, KEY_TYPES } from '../src/index.ts'
import { expectedReportData, SECRET, send, startFakeBroker } from './fake-broker.ts'

const broker = await startFakeBroker()
after(() => broker.close())
beforeEach(() => {
  broker.faults = {}
  broker.seen.length = 0
})

/** The Confidential Containers sample attester: evidence that only repeats the report data. */
const attester: Attester = {
  tee: 'sample',
  evidence: async reportData => ({ svn: '1', report_data: Buffer.from(reportData).toString('base64') }),
}
const options = { url: broker.url, attester }

function refusedAs(code: string): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof BrokerRefusal, String(error))
    assert.equal(error.code, code)
    return true
  }
}

for (const keyType of KEY_TYPES) {
  test(`a secret encrypted to a ${keyType} key arrives`, async () => {
    const session = await attest({ ...options, keyType })
    assert.deepEqual(await session.getSecret('default/db/password'), SECRET)
  })
}

test('the request, the attestation and the fetch are what protocol 0.4.0 prescribes', async () => {
  await getSecret({ ...options, path: 'kbs:///default/db/password' })
  const [auth, attestation, , fetched] = broker.seen
  assert.deepEqual(JSON.parse(Buffer.from(auth!.body).toString()), {
    version: '0.4.0',
    tee: 'sample',
    'extra-params': { 'supported-hash-algorithms': ['sha256', 'sha384', 'sha512'] },
  })
  const told = JSON.parse(Buffer.from(attestation!.body).toString())
  assert.deepEqual(Object.keys(told), ['init-data', 'runtime-data', 'tee-evidence'])
  assert.equal(told['init-data'], null)
  assert.deepEqual(Object.keys(told['runtime-data']['tee-pubkey']).toSorted(), [
    'alg',
    'crv',
    'kty',
    'x',
    'y',
  ])
  assert.equal(told['tee-evidence'].additional_evidence, '')
  assert.match(attestation!.headers.cookie ?? '', /^kbs-session-id=[0-9a-f]{32}$/)
  assert.equal(fetched!.path, '/kbs/v0/resource/default/db/password')
})

for (const hash of ['sha256', 'sha384', 'sha512']) {
  test(`the report data is the ${hash} digest where the challenge selects it`, async () => {
    broker.faults = { selectedHash: hash }
    assert.ok((await attest(options)).token)
  })
}

for (const hash of ['sm3', 'constructor', '__proto__']) {
  test(`a hash that is not offered is refused: ${hash}`, async () => {
    broker.faults = { selectedHash: hash }
    await assert.rejects(attest(options), refusedAs('response-malformed'))
  })
}

test('init-data is sent as it was given', async () => {
  await attest({ ...options, initData: { format: 'toml', body: 'version = "0.1.0"\n' } })
  const told = JSON.parse(Buffer.from(broker.seen[1]!.body).toString())
  assert.deepEqual(told['init-data'], { format: 'toml', body: 'version = "0.1.0"\n' })
})

test('a token and its key fetch a second secret without another handshake', async () => {
  const { token, key } = await attest(options)
  broker.seen.length = 0
  assert.deepEqual(await getSecret({ url: broker.url, token, key, path: 'a/b/c' }), SECRET)
  assert.equal(broker.seen.length, 1)
})

test('evidence for other report data is refused with the broker’s code', async () => {
  const wrong = { ...attester, evidence: async () => ({ svn: '1', report_data: 'AAAA' }) }
  await assert.rejects(attest({ ...options, attester: wrong }), refusedAs('nonce-mismatch'))
})

test('a broker that is neither https nor this machine is spoken to only where plain http is allowed by name', async () => {
  const { token, key } = await attest(options)
  const { port } = new URL(broker.url)
  const asked: string[] = []
  // The name leads to the fake broker, as a cluster's DNS would.
  const elsewhere = {
    url: `http://kbs.example:${port}`,
    fetch: (input: string, init: RequestInit) => {
      asked.push(input)
      return fetch(input.replace('kbs.example', '127.0.0.1'), init)
    },
  }
  const insecure = { name: 'ClientConfigError', code: 'url-insecure', hint: /allowPlainHttpInsecure/ }
  for (const said of [{}, { allowPlainHttpInsecure: false }]) {
    await assert.rejects(attest({ ...elsewhere, ...said, attester }), insecure)
    await assert.rejects(getSecret({ ...elsewhere, ...said, attester, path: 'a/b/c' }), insecure)
    await assert.rejects(getSecret({ ...elsewhere, ...said, token, key, path: 'a/b/c' }), insecure)
  }
  assert.deepEqual(asked, [], 'nothing is sent')
  const allowed = { ...elsewhere, allowPlainHttpInsecure: true }
  assert.deepEqual(await getSecret({ ...allowed, attester, path: 'a/b/c' }), SECRET)
  assert.deepEqual(await getSecret({ ...allowed, token, key, path: 'a/b/c' }), SECRET)
  const session = await attest({ ...allowed, attester })
  assert.deepEqual(await session.getSecret('a/b/c'), SECRET)
})

function without(object: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
}

const TOKEN_FAULTS: readonly [
  string,
  string,
  (claims: Record<string, unknown>) => Record<string, unknown>,
][] = [
  ['of another issuer', 'token-claim-mismatch', claims => ({ ...claims, iss: 'http://elsewhere.example' })],
  [
    'for another audience',
    'token-claim-mismatch',
    claims => ({ ...claims, aud: 'http://elsewhere.example' }),
  ],
  ['without an audience', 'token-claim-mismatch', claims => without(claims, 'aud')],
  ['without an id', 'token-claim-mismatch', claims => without(claims, 'jti')],
  ['past its exp', 'token-expired', claims => ({ ...claims, exp: Number(claims['iat']) - 60 })],
  ['without exp', 'token-claim-mismatch', claims => without(claims, 'exp')],
  ['before its nbf', 'token-expired', claims => ({ ...claims, nbf: Number(claims['iat']) + 120 })],
  ['of another handshake', 'token-nonce-mismatch', claims => ({ ...claims, nonce: 'AAAA' })],
  ['without a nonce', 'token-nonce-mismatch', claims => without(claims, 'nonce')],
  ['for no key', 'token-key-mismatch', claims => without(claims, 'submods')],
]
for (const [what, code, claims] of TOKEN_FAULTS) {
  test(`a token ${what} is refused as ${code}`, async () => {
    broker.faults = { claims }
    await assert.rejects(attest(options), refusedAs(code))
  })
}

test('a token for another TEE key is refused as token-key-mismatch', async () => {
  const { publicJwk } = await generateTeeKey('P-256')
  broker.faults = {
    claims: claims => ({
      ...claims,
      submods: {
        cpu0: { 'ear.veraison.annotated-evidence': { runtime_data_claims: { 'tee-pubkey': publicJwk } } },
      },
    }),
  }
  await assert.rejects(attest(options), refusedAs('token-key-mismatch'))
})

test('a token signed by a key outside the JWKS is refused as token-signature-invalid', async () => {
  broker.faults = { strangerSigns: true }
  await assert.rejects(attest(options), refusedAs('token-signature-invalid'))
})

test('a JWKS of what is no key refuses the token, and is no fault of the client', async () => {
  const named = { kid: 'one', alg: 'ES256', use: 'sig' }
  for (const keys of [
    [null],
    [{ ...named, kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    [{ ...named, kty: 'EC', crv: 'P-256', x: 7, y: 'AA' }],
    [{ ...named, kty: 'EC', crv: 'P-256' }],
    [{ ...named, kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
  ]) {
    broker.faults = {
      answer: (request, response) => {
        if (request.url !== '/.well-known/jwks.json') return false
        send(response, 200, { keys })
        return true
      },
    }
    await assert.rejects(attest(options), refusedAs('token-signature-invalid'))
  }
})

test('a nonce that is not Unicode is malformed', async () => {
  broker.faults = {
    answer: (_, response) => {
      send(response, 200, { nonce: '\ud800' })
      return true
    },
  }
  await assert.rejects(attest(options), refusedAs('response-malformed'))
})

test('an answer without a token, or with a nonce that is no string, is malformed', async () => {
  for (const path of ['/kbs/v0/auth', '/kbs/v0/attest', '/.well-known/jwks.json']) {
    broker.faults = {
      answer: (request, response) => {
        if (request.url !== path) return false
        send(response, 200, { nonce: 7 })
        return true
      },
    }
    await assert.rejects(attest(options), refusedAs('response-malformed'))
  }
})

test('a secret encrypted to another key, or changed on the way, does not open', async () => {
  const session = await attest(options)
  const other = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true })
  broker.faults = { encryptTo: { ...(await exportJWK(other.publicKey)), alg: 'ECDH-ES+A256KW' } }
  await assert.rejects(session.getSecret('a/b/c'), refusedAs('secret-undecryptable'))
  const flip = (text: unknown): string =>
    `${String(text).startsWith('A') ? 'B' : 'A'}${String(text).slice(1)}`
  for (const part of ['protected', 'encrypted_key', 'iv', 'ciphertext', 'tag']) {
    broker.faults = { jwe: jwe => ({ ...jwe, [part]: flip(jwe[part]) }) }
    await assert.rejects(session.getSecret('a/b/c'), refusedAs('secret-undecryptable'))
    broker.faults = { jwe: jwe => without(jwe, part) }
    await assert.rejects(session.getSecret('a/b/c'), refusedAs('response-malformed'))
  }
})

test('a weaker key management than the key’s own is not accepted from the header', async () => {
  const session = await attest(options)
  const header = { alg: 'dir', enc: 'A256GCM' }
  broker.faults = {
    jwe: jwe => ({ ...jwe, protected: Buffer.from(JSON.stringify(header)).toString('base64url') }),
  }
  await assert.rejects(session.getSecret('a/b/c'), refusedAs('secret-undecryptable'))
})

test('a missing secret is told by the broker’s code and status', async () => {
  const session = await attest(options)
  await assert.rejects(session.getSecret('a/b/missing'), error => {
    assert.ok(error instanceof BrokerRefusal)
    assert.deepEqual([error.code, error.status], ['resource-missing', 404])
    return true
  })
})

test('another KBS’s error is told by its variant', async () => {
  const key = await generateTeeKey('P-256')
  await assert.rejects(
    getSecret({ url: broker.url, token: 'none', key, path: 'a/b/c' }),
    refusedAs('token-not-found'),
  )
})

test('a path that is not three segments is refused before anything is sent', async () => {
  for (const path of ['a/b', 'a/b/c/d', 'a//c', '../b/c', 'a/b/.c', 'a/b/c?d', '']) {
    await assert.rejects(getSecret({ ...options, path }), { name: 'ClientConfigError', code: 'path-invalid' })
  }
  assert.equal(broker.seen.length, 0)
})

test('the report data of the protocol’s own example comes out', async () => {
  // The canonicalisation vector of the KBS attestation protocol document.
  const { createHash } = await import('node:crypto')
  const { default: canonicalize } = await import('canonicalize')
  const text = canonicalize({ b: 1, a: 'test', c: { d: 'e' } })
  assert.equal(
    createHash('sha384').update(text!).digest('hex'),
    'e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c4597480a186427c813ca941da78870c3',
  )
  assert.equal(expectedReportData('AAAA', {}).length, 64)
})
