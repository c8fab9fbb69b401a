// SIGSTRUCT: read strictly, and believed only where its own key has signed it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { toHex } from '../../src/bytes.ts'
import { verifySigstruct } from '../../src/enclave/signature.ts'
import { parseSigstruct, SIGSTRUCT_SIZE, signedBytesOfSigstruct } from '../../src/enclave/sigstruct.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { BODY, modulusOf, SIGNATURE_SIZE, SIGNER, STRANGER, signed, withSignature } from './signed.ts'

const hasCode = (code: RefusalCode) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error))
  assert.equal(error.code, code, error.message)
  return true
}

async function forged(bytes: Uint8Array): Promise<void> {
  await assert.rejects(verifySigstruct(parseSigstruct(bytes)), hasCode('enclave-signature-invalid'))
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

test('what was encoded is read again, and its signer is the digest of the key', async () => {
  const sigstruct = parseSigstruct(signed())
  for (const name of Object.keys(BODY) as (keyof typeof BODY)[]) assert.deepEqual(sigstruct[name], BODY[name])
  const digest = createHash('sha256').update(modulusOf(SIGNER.publicKey)).digest('hex')
  assert.equal(toHex(await verifySigstruct(sigstruct)), digest)
})

test('every change of the 1,808 bytes is refused: as malformed, or as not signed', async () => {
  const bytes = signed()
  for (let at = 0; at < SIGSTRUCT_SIZE; at += 7) {
    await assert.rejects(
      async () => verifySigstruct(parseSigstruct(flipped(bytes, at))),
      error => error instanceof Refusal && error.code.startsWith('enclave-'),
      `byte ${at}`,
    )
  }
})

test('another size, another header, a reserved byte and a day that is none are malformed', () => {
  const bytes = signed()
  const malformed = (input: Uint8Array): void =>
    assert.throws(() => parseSigstruct(input), hasCode('enclave-malformed'))
  malformed(bytes.subarray(1))
  malformed(new Uint8Array(SIGSTRUCT_SIZE + 1))
  for (const at of [0, 24, 44, 127, 512, 910, 992, 1028]) malformed(flipped(bytes, at))
  const date = bytes.slice()
  date.set([0x32, 0x13, 0x26, 0x20], 20)
  malformed(date)
  assert.throws(() => signedBytesOfSigstruct({ ...BODY, date: '20260230' }), hasCode('enclave-malformed'))
})

test('a signature by another key, or over another body, is refused', async () => {
  const other = signed({ isvSvn: 4 })
  const bytes = signed()
  await forged(Uint8Array.from([...bytes.subarray(0, 900), ...other.subarray(900)]))
  const stranger = signed({}, STRANGER)
  const mixed = bytes.slice()
  mixed.set(stranger.subarray(516, 900), 516)
  await forged(mixed)
})

test('hints that do not belong to the signature are refused, as EINIT refuses them', async () => {
  await forged(flipped(signed(), 1040))
  await forged(flipped(signed(), 1424))
})

// Exponent 3 and a reader that does not look behind the digest: any cube root would be a signature (CVE-2006-4339).
test('a cube root of a padding with garbage behind the digest is no signature', async () => {
  const digest = createHash('sha256').update(signedBytesOfSigstruct(BODY)).digest()
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest])
  const front = Buffer.concat([Buffer.from('0001ffffffffffffffff00', 'hex'), info])
  const padded = BigInt(
    `0x${Buffer.concat([front, Buffer.alloc(SIGNATURE_SIZE - front.length, 0xff)]).toString('hex')}`,
  )
  const root = cubeRoot(padded)
  assert.ok(
    (root ** 3n)
      .toString(16)
      .padStart(2 * SIGNATURE_SIZE, '0')
      .startsWith(front.toString('hex')),
  )
  const bytes = Buffer.from(root.toString(16).padStart(2 * SIGNATURE_SIZE, '0'), 'hex').reverse()
  await forged(withSignature(new Uint8Array(bytes)))
})

test('zero, one and the modulus itself are no signatures', async () => {
  for (const value of [0, 1])
    await forged(
      withSignature(Uint8Array.from({ length: SIGNATURE_SIZE }, (_, at) => (at === 0 ? value : 0))),
    )
  const bytes = signed()
  bytes.set(modulusOf(SIGNER.publicKey), 516)
  await forged(bytes)
})

test('a modulus of zeros is refused before anything is divided by it', async () => {
  const bytes = signed()
  bytes.fill(0, 128, 512)
  await forged(bytes)
})

function cubeRoot(value: bigint): bigint {
  let [low, high] = [0n, 1n << 1100n]
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    if (middle ** 3n <= value) low = middle
    else high = middle - 1n
  }
  return low
}
