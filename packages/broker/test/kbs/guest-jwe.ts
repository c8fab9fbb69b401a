// How a Confidential Containers guest reads a response, written from the protocol and sharing no code with the broker:
// it parses the protected header, serialises it again in its own order, and takes that as the AAD.

import crypto, { type KeyObject } from 'node:crypto'

export interface GuestKey {
  readonly jwk: Record<string, string>
  readonly privateKey: KeyObject
}

export const GUEST_KEYS = {
  'P-256': () => ecKey('P-256', 'prime256v1'),
  'P-521': () => ecKey('P-521', 'secp521r1'),
  'RSA-OAEP-256': () => rsaKey('RSA-OAEP-256'),
  RSA1_5: () => rsaKey('RSA1_5'),
  'ML-KEM-768': () => mlKemKey(),
} as const

function ecKey(crv: string, namedCurve: string): GuestKey {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve })
  const { x, y } = publicKey.export({ format: 'jwk' })
  return { jwk: { kty: 'EC', crv, alg: 'ECDH-ES+A256KW', x: x!, y: y! }, privateKey }
}

let rsaPair: { publicKey: KeyObject; privateKey: KeyObject } | undefined

function rsaKey(alg: string): GuestKey {
  rsaPair ??= crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { n, e } = rsaPair.publicKey.export({ format: 'jwk' })
  return { jwk: { kty: 'RSA', alg, n: n!, e: e! }, privateKey: rsaPair.privateKey }
}

function mlKemKey(): GuestKey {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ml-kem-768')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-1184)
  return { jwk: { kty: 'AKP', alg: 'ML-KEM-768+A192KW', pub: raw.toString('base64url') }, privateKey }
}

/** serde: `alg`, `enc`, then a BTreeMap of the rest, whose objects are BTreeMaps too. */
export function reserialise(header: Record<string, unknown>): string {
  const { alg, enc, ...rest } = header
  const sorted = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? `{${Object.keys(value)
          .sort()
          .map(name => `${JSON.stringify(name)}:${sorted((value as Record<string, unknown>)[name])}`)
          .join(',')}}`
      : JSON.stringify(value)
  const others = sorted(rest).slice(1, -1)
  return `{"alg":${JSON.stringify(alg)},"enc":${JSON.stringify(enc)}${others === '' ? '' : `,${others}`}}`
}

/** What the guest of protocol 0.2.0 and 0.4.0 does. */
export function openJwe(jwe: Record<string, string>, key: GuestKey): Buffer {
  const header = JSON.parse(Buffer.from(jwe['protected']!, 'base64url').toString()) as Record<string, unknown>
  const aad = Buffer.from(reserialise(header)).toString('base64url')
  const cek = unwrap(header, Buffer.from(jwe['encrypted_key']!, 'base64url'), key)
  const decipher = crypto.createDecipheriv('aes-256-gcm', cek, Buffer.from(jwe['iv']!, 'base64url'))
  decipher.setAAD(Buffer.from(aad))
  decipher.setAuthTag(Buffer.from(jwe['tag']!, 'base64url'))
  return Buffer.concat([decipher.update(Buffer.from(jwe['ciphertext']!, 'base64url')), decipher.final()])
}

/** What the guest of protocol 0.1.1 does: the header is plain JSON, there is no AAD, the tag ends the ciphertext. */
export function openLegacy(jwe: Record<string, string>, key: GuestKey): Buffer {
  const header = JSON.parse(jwe['protected']!) as Record<string, unknown>
  const cek = unwrap(header, Buffer.from(jwe['encrypted_key']!, 'base64url'), key)
  const sealed = Buffer.from(jwe['ciphertext']!, 'base64url')
  const decipher = crypto.createDecipheriv('aes-256-gcm', cek, Buffer.from(jwe['iv']!, 'base64url'))
  decipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

function unwrap(header: Record<string, unknown>, wrapped: Buffer, { privateKey }: GuestKey): Buffer {
  switch (header['alg']) {
    case 'RSA1_5':
      return crypto.privateDecrypt({ key: privateKey, padding: crypto.constants.RSA_PKCS1_PADDING }, wrapped)
    case 'RSA-OAEP-256':
      return crypto.privateDecrypt({ key: privateKey, oaepHash: 'sha256' }, wrapped)
    case 'ECDH-ES+A256KW': {
      const publicKey = crypto.createPublicKey({
        key: header['epk'] as Record<string, string>,
        format: 'jwk',
      })
      const z = crypto.diffieHellman({ privateKey, publicKey })
      const info = Buffer.concat([
        Buffer.from('0000000e', 'hex'),
        Buffer.from('ECDH-ES+A256KW'),
        Buffer.from('000000000000000000000100', 'hex'),
      ])
      const kek = crypto
        .createHash('sha256')
        .update(Buffer.from('00000001', 'hex'))
        .update(z)
        .update(info)
        .digest()
      return unwrapAes('id-aes256-wrap', kek, wrapped)
    }
    case 'ML-KEM-768+A192KW': {
      const shared = crypto.decapsulate(privateKey, Buffer.from(header['ek'] as string, 'base64url'))
      const info = Buffer.concat([
        Buffer.from('00000011', 'hex'),
        Buffer.from('ML-KEM-768+A192KW'),
        Buffer.from('000000c0', 'hex'),
      ])
      return unwrapAes('id-aes192-wrap', kmac256(shared, info, 24), wrapped)
    }
    default:
      throw new Error(`guest does not know ${String(header['alg'])}`)
  }
}

function unwrapAes(name: string, kek: Buffer, wrapped: Buffer): Buffer {
  const decipher = crypto.createDecipheriv(name, kek, Buffer.alloc(8, 0xa6))
  return Buffer.concat([decipher.update(wrapped), decipher.final()])
}

/** KMAC256 (NIST SP 800-185, 4.3) over a Keccak spelled out below: a second opinion on the library that the broker uses. */
export function kmac256(key: Uint8Array, data: Uint8Array, outBytes: number): Buffer {
  const rate = 136
  const pad = (parts: readonly Buffer[]): Buffer => {
    const body = Buffer.concat([leftEncode(rate), ...parts])
    return Buffer.concat([body, Buffer.alloc((rate - (body.length % rate)) % rate)])
  }
  const encodeString = (text: Uint8Array): Buffer => Buffer.concat([leftEncode(text.length * 8), text])
  const prefix = pad([encodeString(Buffer.from('KMAC')), encodeString(Buffer.alloc(0))])
  const message = Buffer.concat([prefix, pad([encodeString(key)]), data, rightEncode(outBytes * 8)])
  return keccak(message, rate, 0x04, outBytes)
}

function leftEncode(value: number): Buffer {
  const bytes = bigEndian(value)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function rightEncode(value: number): Buffer {
  const bytes = bigEndian(value)
  return Buffer.concat([bytes, Buffer.from([bytes.length])])
}

function bigEndian(value: number): Buffer {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

function keccak(message: Buffer, rate: number, suffix: number, outBytes: number): Buffer {
  const padded = Buffer.alloc(Math.ceil((message.length + 1) / rate) * rate)
  message.copy(padded)
  padded[message.length]! ^= suffix
  padded[padded.length - 1]! ^= 0x80
  const state = Array.from({ length: 25 }, () => 0n)
  for (let at = 0; at < padded.length; at += rate) {
    for (let lane = 0; lane < rate / 8; lane++) state[lane]! ^= padded.readBigUInt64LE(at + lane * 8)
    permute(state)
  }
  const out = Buffer.alloc(200)
  state.forEach((lane, index) => out.writeBigUInt64LE(lane, index * 8))
  return out.subarray(0, outBytes)
}

const MASK = (1n << 64n) - 1n
const rotate = (lane: bigint, by: number): bigint => ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & MASK

function permute(state: bigint[]): void {
  let lfsr = 1
  for (let round = 0; round < 24; round++) {
    const column = [0, 1, 2, 3, 4].map(
      x => state[x]! ^ state[x + 5]! ^ state[x + 10]! ^ state[x + 15]! ^ state[x + 20]!,
    )
    for (let i = 0; i < 25; i++) state[i]! ^= column[(i + 4) % 5]! ^ rotate(column[(i + 1) % 5]!, 1)
    let [x, y, current] = [1, 0, state[1]!]
    for (let t = 0; t < 24; t++) {
      ;[x, y] = [y, (2 * x + 3 * y) % 5]
      const next = state[x + 5 * y]!
      state[x + 5 * y] = rotate(current, (((t + 1) * (t + 2)) / 2) % 64)
      current = next
    }
    for (let row = 0; row < 25; row += 5) {
      const lanes = state.slice(row, row + 5)
      for (let i = 0; i < 5; i++)
        state[row + i] = lanes[i]! ^ (~lanes[(i + 1) % 5]! & MASK & lanes[(i + 2) % 5]!)
    }
    for (let bit = 0; bit < 7; bit++) {
      if ((lfsr & 1) === 1) state[0]! ^= 1n << BigInt((1 << bit) - 1)
      lfsr = (lfsr << 1) ^ ((lfsr >> 7) * 0x171)
    }
  }
}
