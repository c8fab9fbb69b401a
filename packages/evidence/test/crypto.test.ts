// Both crypto providers, and what is remembered of signatures: against signatures that node:crypto makes.

import assert from 'node:assert/strict'
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  constants as openssl,
  randomBytes,
  sign,
} from 'node:crypto'
import { before, test } from 'node:test'
import { SIGNING } from '../../enclave/test/image/keys.ts'
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../src/algorithm.ts'
import { BoundedMap } from '../src/bounded-map.ts'
import { toHex } from '../src/bytes.ts'
import { type CryptoProvider, MAX_SPKI_BYTES, type SignatureEncoding } from '../src/crypto.ts'
import * as node from '../src/node/crypto.ts'
import { checkSignature, isSignedBy, knownFact } from '../src/signature.ts'
import * as web from '../src/web/crypto.ts'

const PROVIDERS: Readonly<Record<string, CryptoProvider>> = { node, web }
const MESSAGE = new TextEncoder().encode('what is signed')

interface Pair {
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
}

let p256: Pair
let p384: Pair
let rsa: Pair
let rsa3: Pair

function pair(keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): Pair {
  return { privateKey: keys.privateKey, spki: keys.publicKey.export({ type: 'spki', format: 'der' }) }
}

before(() => {
  p256 = pair(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  p384 = pair(generateKeyPairSync('ec', { namedCurve: 'P-384' }))
  rsa = pair(generateKeyPairSync('rsa', { modulusLength: 2048 }))
  rsa3 = pair(SIGNING)
})

function keyFor(scheme: SignatureScheme): Pair {
  if (scheme === 'ecdsa-sha256') return p256
  if (scheme === 'rsa3-pkcs1-sha256') return rsa3
  return scheme === 'ecdsa-sha384' ? p384 : rsa
}

function signed(scheme: SignatureScheme, encoding: SignatureEncoding): Uint8Array {
  const { privateKey } = keyFor(scheme)
  const digest = scheme.slice(scheme.lastIndexOf('-') + 1)
  const dsaEncoding = encoding === 'der' ? 'der' : 'ieee-p1363'
  const pss = { padding: openssl.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
  return sign(digest, MESSAGE, { key: privateKey, dsaEncoding, ...(scheme.startsWith('rsa-pss') ? pss : {}) })
}

/** A key that nobody has the other half of: whoever verifies cannot tell. */
function rsaSpki(bits: number, exponent: number): Uint8Array {
  const n = randomBytes(bits / 8)
  n[0] = 0xff
  n[n.length - 1] = 0xff
  const e = Buffer.alloc(4)
  e.writeUInt32BE(exponent)
  const jwk = { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' })
}

for (const [name, provider] of Object.entries(PROVIDERS)) {
  for (const scheme of SIGNATURE_SCHEMES) {
    for (const encoding of ['der', 'p1363'] as const) {
      test(`${name}: ${scheme} in ${encoding} verifies, and nothing that differs from it`, async () => {
        const key = await provider.importKey(keyFor(scheme).spki, scheme)
        assert.ok(key)
        const signature = signed(scheme, encoding)
        const check = { scheme, encoding, signature, message: MESSAGE }
        assert.equal(await provider.verifySignature(key, check), true)
        const changed = Uint8Array.from(signature)
        changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1
        assert.equal(await provider.verifySignature(key, { ...check, signature: changed }), false)
        assert.equal(await provider.verifySignature(key, { ...check, message: MESSAGE.subarray(1) }), false)
        for (const signature of [
          new Uint8Array(),
          new Uint8Array(3),
          new Uint8Array(64),
          new Uint8Array(512),
        ]) {
          assert.equal(await provider.verifySignature(key, { ...check, signature }), false)
        }
      })
    }

    test(`${name}: a key that is not for ${scheme} is not imported`, async () => {
      const others = [p256, p384, rsa, rsa3].filter(it => it !== keyFor(scheme))
      for (const { spki } of others) assert.equal(await provider.importKey(spki, scheme), null)
      assert.equal(await provider.importKey(new Uint8Array(91), scheme), null)
      assert.equal(await provider.importKey(new Uint8Array(), scheme), null)
    })
  }

  test(`${name}: RSA keys are taken from 2048 to 4096 bits, with the exponent 65537`, async () => {
    for (const scheme of ['rsa-pkcs1-sha256', 'rsa-pss-sha384'] as const) {
      const isTaken = async (bits: number, exponent: number): Promise<boolean> =>
        (await provider.importKey(rsaSpki(bits, exponent), scheme)) !== null
      for (const bits of [2048, 3072, 4096]) assert.equal(await isTaken(bits, 65_537), true, `${bits}`)
      for (const bits of [1024, 2040, 4104, 4608, 16_384]) {
        assert.equal(await isTaken(bits, 65_537), false, `${bits}`)
      }
      for (const exponent of [3, 65_539, 0x7fff_ffff]) {
        assert.equal(await isTaken(2048, exponent), false, `${exponent}`)
      }
    }
  })

  test(`${name}: the RSA keys of enclaves have 3072 bits and the exponent 3, and no others do`, async () => {
    const isTaken = async (bits: number, exponent: number): Promise<boolean> =>
      (await provider.importKey(rsaSpki(bits, exponent), 'rsa3-pkcs1-sha256')) !== null
    assert.equal(await isTaken(3072, 3), true)
    for (const bits of [2048, 3064, 3080, 4096]) assert.equal(await isTaken(bits, 3), false, `${bits}`)
    for (const exponent of [5, 17, 65_537]) assert.equal(await isTaken(3072, exponent), false, `${exponent}`)
  })

  test(`${name}: digests are those of OpenSSL`, async () => {
    for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) {
      const wanted = createHash(algorithm).update(MESSAGE).digest('hex')
      assert.equal(toHex(await provider[algorithm](MESSAGE)), wanted)
    }
  })
}

test('what is remembered about one object is not believed of another', async () => {
  const scheme = 'ecdsa-sha256'
  const signature = signed(scheme, 'der')
  const one = { tbs: MESSAGE, signature, signatureAlgorithm: scheme } as const
  assert.equal(await isSignedBy(one, p256.spki), true)
  assert.equal(await isSignedBy(one, p256.spki), true)
  assert.equal(await isSignedBy({ ...one, tbs: MESSAGE.subarray(1) }, p256.spki), false)
  const other = pair(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  assert.equal(await isSignedBy(one, other.spki), false)
  assert.equal(await isSignedBy(one, p256.spki), true)
})

test('a key too large to be taken verifies nothing, and is not remembered', async () => {
  const one = {
    tbs: MESSAGE,
    signature: signed('ecdsa-sha256', 'der'),
    signatureAlgorithm: 'ecdsa-sha256',
  } as const
  const large = new Uint8Array(MAX_SPKI_BYTES + 1)
  assert.equal(knownFact(one, p256.spki), undefined)
  assert.equal(knownFact(one, large), false)
  assert.equal(await isSignedBy(one, large), false)
})

test('a key of another kind verifies nothing', async () => {
  const check = {
    scheme: 'ecdsa-sha256',
    encoding: 'der',
    signature: signed('ecdsa-sha256', 'der'),
    message: MESSAGE,
  } as const
  assert.equal(await checkSignature(rsa.spki, check), false)
  assert.equal(await checkSignature(p256.spki, check), true)
})

test('a bounded map keeps what is used, forgets what is not, and never grows beyond its capacity', () => {
  const map = new BoundedMap<string, number>(4)
  map.set('used', 1)
  map.set('unused', 2)
  for (let index = 0; index < 20; index++) {
    map.set(`new ${index}`, index)
    assert.equal(map.get(`new ${index}`), index)
    assert.equal(map.get('used'), 1)
    assert.ok(map.size <= 4, `${map.size}`)
  }
  assert.equal(map.get('unused'), undefined)
  map.set('used', 3)
  assert.equal(map.get('used'), 3)
})
