// The AssemblyScript SDK: one enclave that uses all of it, built once and run.
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { buildEnclave } from '../../src/building/build.ts'
import { parseImage } from '../../src/image/image.ts'
import { signImage } from '../../src/image/sign.ts'
import { unseal } from '../../src/sealing/blob.ts'
import { identityOf } from '../../src/sealing/identity.ts'
import { makeRoot } from '../../src/sealing/root.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { bytes, start, utf8, write } from './source.ts'

const SOURCE = `
import { bytesAt, config, fail, log, Policy, random, seal, secret, text, unseal } from 'casemate'

const password = text.decode(secret('default/db/password'))
let calls = 0
let kept: Uint8Array[] = []

export function greet(input: Uint8Array): Uint8Array {
  return text.encode('Grüße, ' + text.decode(input) + '! ' + (++calls).toString() + ' ' + password)
}
export function refuse(input: Uint8Array): Uint8Array { return input.length == 0 ? fail(7) : input }
export function setting(input: Uint8Array): Uint8Array {
  const value = config(text.decode(input))
  return text.encode(value === null ? 'none' : value)
}
export function draw(input: Uint8Array): Uint8Array { return random(input[0]) }
export function say(input: Uint8Array): Uint8Array { log(text.decode(input)); return new Uint8Array(0) }
export function lock(input: Uint8Array): Uint8Array { return seal(input, Policy.mrSigner, text.encode('label')) }
export function open(input: Uint8Array): Uint8Array {
  const opened = unseal(input)
  if (opened.status != 0) return fail(opened.status)
  return text.encode(text.decode(opened.additionalData) + ':' + text.decode(opened.plaintext))
}
export function throws(input: Uint8Array): Uint8Array { throw new Error('no way') }
export function beyond(input: Uint8Array): Uint8Array { return Uint8Array.wrap(input.buffer, 0, input[9999]) }
export function missing(input: Uint8Array): Uint8Array { return secret('default/other/key') }

/** Keeps every input, and answers the first one kept. */
export function keep(input: Uint8Array): Uint8Array {
  kept.push(input)
  return kept[0]
}
export function hungry(input: Uint8Array): Uint8Array {
  const all = new Array<ArrayBuffer>()
  while (all.length < 1000) all.push(new ArrayBuffer(1 << 20))
  return input
}
/** Copies nothing: adds one to each byte, 16 at a time. */
export function raw(pointer: usize, length: i32): u64 {
  for (let i: usize = 0; i < <usize>length; i += 16) {
    v128.store(pointer + i, i8x16.add(v128.load(pointer + i), i8x16.splat(1)))
  }
  return bytesAt(pointer, length)
}
const fixed = memory.data(4)
export function fixedPlace(pointer: usize, length: i32): u64 {
  store<u32>(fixed, 0x64636261)
  return bytesAt(fixed, 4)
}
`

const key = createSecretKey(Buffer.alloc(32, 7))
const ROOT = makeRoot({ kind: 'simulated', cpuSvn: null, secrets: { mrEnclave: key, mrSigner: key } })
const secrets = new Map([['default/db/password', bytes('pa55')]])

test('an enclave in AssemblyScript uses everything that there is', async t => {
  const folder = write(t, { 'hello.ts': SOURCE })
  const image = await buildEnclave({
    entry: `${folder}/hello.ts`,
    configuration: { region: 'Zürich', empty: '' },
    secrets: ['default/db/password'],
    isvSvn: 3,
  })
  const lines: string[] = []
  const failures: string[] = []
  const enclave = await start(t, image, {
    sealing: ROOT,
    secrets,
    log: ({ text }) => lines.push(text),
    report: event => 'message' in event && failures.push(event.code),
  })
  const ask = async (name: string, input: string): Promise<string> =>
    utf8(await enclave.call(name, bytes(input)))

  await t.test('text, state, and a secret that was read when it started', async () => {
    assert.equal(await ask('greet', 'Zoë 🦉'), 'Grüße, Zoë 🦉! 1 pa55')
    assert.equal(await ask('greet', ''), 'Grüße, ! 2 pa55')
  })

  await t.test('a status instead of a result', async () => {
    await assert.rejects(enclave.call('refuse', bytes('')), { code: 'call-failed', got: '7' })
    assert.equal(await ask('refuse', 'fine'), 'fine')
  })

  await t.test('settings, and null where there is none', async () => {
    assert.equal(await ask('setting', 'region'), 'Zürich')
    assert.equal(await ask('setting', 'empty'), '')
    assert.equal(await ask('setting', 'other'), 'none')
  })

  await t.test('random bytes', async () => {
    const [a, b] = await enclave.callBatch('draw', [Uint8Array.of(32), Uint8Array.of(32)])
    assert.equal(a!.length, 32)
    assert.notDeepEqual(a, b)
  })

  await t.test('lines for the host', async () => {
    assert.equal(await ask('say', 'good mörning'), '')
    assert.deepEqual(lines.splice(0), ['good mörning'])
  })

  await t.test('sealing, which opens outside under the same root and identity', async () => {
    const blob = await enclave.call('lock', bytes('mine'))
    assert.equal(utf8(await enclave.call('open', blob)), 'label:mine')
    const signed = parseImage(signImage(image, { ...DATE, privateKey: SIGNING.privateKey }))
    const { plaintext } = unseal(blob, { root: ROOT, identity: identityOf(signed, signed.sigstruct!) })
    assert.equal(utf8(plaintext), 'mine')
    blob[blob.length - 1]! ^= 1
    await assert.rejects(enclave.call('open', blob), { code: 'call-failed', got: '5' })
  })

  await t.test('pointers without copies, in place and at a fixed one', async () => {
    assert.equal(await ask('raw', 'HAL'.repeat(16)), 'IBM'.repeat(16))
    assert.equal(await ask('raw', ''), '')
    for (let index = 0; index < 3; index++) assert.equal(await ask('fixedPlace', 'x'), 'abcd')
  })

  await t.test('an input may be kept after its call, whatever comes after it', async () => {
    assert.equal(await ask('keep', 'the first'), 'the first')
    const others = Array.from({ length: 50 }, (_, index) => new Uint8Array(20_000).fill(index))
    for (const answer of await enclave.callBatch('keep', others)) assert.equal(utf8(answer), 'the first')
  })

  await t.test('memory of what is not kept comes back', async () => {
    const inputs = Array.from({ length: 100 }, () => new Uint8Array(1_000_000).fill(65))
    for (const input of inputs) await enclave.call('refuse', input)
    for (const input of inputs) await enclave.call('greet', input.subarray(0, 100_000))
    assert.deepEqual(failures, [])
  })

  await t.test('what goes wrong traps, and says why since the code logs', async () => {
    for (const [name, line] of [
      ['throws', /^no way \(hello\.ts:\d+:\d+\)$/],
      ['beyond', /^Index out of range \(~lib\/typedarray\.ts:/],
      ['missing', /^the manifest declares no secret of that path/],
      ['hungry', null],
    ] as const) {
      lines.length = 0
      await assert.rejects(enclave.call(name, bytes('x')), { code: 'enclave-crashed' })
      if (line === null) assert.deepEqual(lines, [])
      else assert.match(lines.join('\n'), line)
    }
    assert.equal(await ask('greet', 'again'), 'Grüße, again! 1 pa55')
  })

  await t.test('an input that does not fit is out-of-memory', async () => {
    await assert.rejects(enclave.call('refuse', new Uint8Array(16 << 20)), { code: 'out-of-memory' })
    assert.equal(await ask('refuse', 'still here'), 'still here')
  })
})
