// SHA-256 and HMAC of the SDK against NIST's vectors and OpenSSL's implementation, in every form in which it is offered.
import assert from 'node:assert/strict'
import { createHmac, hash, randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import { build, bytes, start } from './source.ts'

const SOURCE = `
import { hmacSha256, Sha256, sha256, sha256At, sha256FourAt } from 'casemate'

export function whole(input: Uint8Array): Uint8Array { return sha256(input) }

/** As it lies in the input, at an address that is not aligned. */
const place = memory.data(32)
export function atPlace(pointer: usize, length: i32): u64 {
  sha256At(pointer + 1, length - 1, place)
  return (<u64>place << 32) | 32
}

/** Sizes of the pieces, one byte each, up to a 0; then the pieces. The digest after every piece, and the last again. */
export function pieces(input: Uint8Array): Uint8Array {
  const count = input.indexOf(0)
  const digests = new Uint8Array(32 * (count + 1))
  const running = new Sha256()
  let at = count + 1
  for (let index = 0; index < count; index++) {
    running.update(input.subarray(at, at + input[index]))
    at += input[index]
    digests.set(running.digest(), 32 * index)
  }
  running.updateAt(0, 0).digestAt(digests.dataStart + 32 * count)
  return digests
}

/** The distance of four inputs, and their length, one byte each; then the inputs. */
export function four(input: Uint8Array): Uint8Array {
  const digests = new Uint8Array(128)
  sha256FourAt(input.dataStart + 2, input[0], input[1], digests.dataStart)
  return digests
}

/** A round of the Monte Carlo test (SHAVS 6.4). */
export function monteCarlo(seed: Uint8Array): Uint8Array {
  let a = seed
  let b = seed
  let c = seed
  for (let round = 0; round < 1000; round++) {
    const next = new Sha256().update(a).update(b).update(c).digest()
    a = b
    b = c
    c = next
  }
  return c
}

/** Length of the key, one byte, the key, the text. */
export function hmac(input: Uint8Array): Uint8Array {
  return hmacSha256(input.subarray(1, 1 + input[0]), input.subarray(1 + input[0]))
}
`

const sha256 = (input: Uint8Array): string => hash('sha256', input)
const hex = (output: Uint8Array): string => Buffer.from(output).toString('hex')
const hexes = (output: Uint8Array): string[] =>
  Array.from({ length: output.length / 32 }, (_, at) => hex(output.subarray(32 * at, 32 * at + 32)))

test('SHA-256 and HMAC', async t => {
  const enclave = await start(t, await build(t, { 'hello.ts': SOURCE }))
  const ask = async (name: string, input: Uint8Array): Promise<string> => hex(await enclave.call(name, input))

  await t.test('the examples of FIPS 180-4', async () => {
    for (const [input, digest] of [
      ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      [
        'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
        '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      ],
      ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
    ] as const) {
      assert.equal(await ask('whole', bytes(input)), digest)
    }
  })

  await t.test(
    'the Monte Carlo test of NIST’s validation system, from seed to the last checkpoint',
    async () => {
      let seed: Uint8Array = Buffer.from(
        '6d1e72ad03ddeb5de891e572e2396f8da015d899ef0e79503152d6010a3fe691',
        'hex',
      )
      for (let checkpoint = 0; checkpoint < 100; checkpoint++) {
        seed = await enclave.call('monteCarlo', seed)
        if (checkpoint === 0)
          assert.equal(hex(seed), 'e93c330ae5447738c8aa85d71a6c80f2a58381d05872d26bdd39f1fcd4f2b788')
      }
      assert.equal(hex(seed), '6a912ba4188391a78e6f13d88ed2d14e13afce9db6f7dcbf4a48c24f3db02778')
    },
  )

  await t.test('every length up to three blocks, at once and without an object', async () => {
    const inputs = Array.from({ length: 200 }, (_, length) => randomBytes(length + 1))
    const wholes = await enclave.callBatch('whole', inputs)
    const places = await enclave.callBatch('atPlace', inputs)
    for (const [index, input] of inputs.entries()) {
      assert.equal(hex(wholes[index]!), sha256(input))
      assert.equal(hex(places[index]!), sha256(input.subarray(1)), `${input.length - 1} bytes`)
    }
  })

  await t.test('pieces of any size, with a digest after each', async () => {
    for (let times = 0; times < 60; times++) {
      const sizes = Array.from({ length: randomInt(1, 12) }, () => (times < 30 ? randomInt(1, 200) : 64))
      const parts = sizes.map(size => randomBytes(size))
      const output = await enclave.call('pieces', Buffer.concat([Buffer.from([...sizes, 0]), ...parts]))
      const expected = parts.map((_, index) => sha256(Buffer.concat(parts.slice(0, index + 1))))
      assert.deepEqual(hexes(output), [...expected, expected.at(-1)])
    }
  })

  await t.test('four at once, of every length up to three blocks', async () => {
    for (let length = 0; length < 200; length++) {
      const stride = length + randomInt(0, 40)
      const inputs = randomBytes(4 * stride)
      const output = await enclave.call('four', Buffer.concat([Buffer.from([stride, length]), inputs]))
      const expected = [0, 1, 2, 3].map(lane =>
        sha256(inputs.subarray(lane * stride, lane * stride + length)),
      )
      assert.deepEqual(hexes(output), expected, `${length} bytes`)
    }
  })

  await t.test('HMAC: an example of RFC 4231, and keys of every length around a block', async () => {
    const code = (key: Uint8Array, input: Uint8Array): Promise<string> =>
      ask('hmac', Buffer.concat([Buffer.from([key.length]), key, input]))
    assert.equal(
      await code(bytes('Jefe'), bytes('what do ya want for nothing?')),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    for (let length = 1; length < 140; length += 3) {
      const [key, input] = [randomBytes(length), randomBytes(length * 2)]
      assert.equal(await code(key, input), createHmac('sha256', key).update(input).digest('hex'))
    }
  })
})
