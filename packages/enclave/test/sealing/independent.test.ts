// The format against an opener that shares nothing with ours: Python with the cryptography package. And fixed bytes, so
// that no change of the format goes unnoticed.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createSecretKey } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type SealOptions, seal, unseal } from '../../src/sealing/blob.ts'
import { makeRoot, type SealingRoot } from '../../src/sealing/root.ts'
import { openBrokerRoot } from '../../src/sealing/roots.ts'
import { SealStream } from '../../src/sealing/stream.ts'
import { IDENTITY, POLICIES } from './fixtures.ts'

const SCRIPT = fileURLToPath(new URL('open_sealed.py', import.meta.url))
const hasPython = spawnSync('python3', ['-c', 'import cryptography']).status === 0
const skip = !hasPython && 'needs python3 with its package cryptography'

const SECRET = Buffer.alloc(32, 'abc')
const key = createSecretKey(SECRET)
const machine = (kind: 'simulated' | 'gramine', cpuSvn: Uint8Array | null): SealingRoot =>
  makeRoot({ kind, cpuSvn, secrets: { mrEnclave: key, mrSigner: key } })
const ROOTS = [
  machine('simulated', null),
  machine('simulated', new Uint8Array(16).fill(5)),
  machine('gramine', null),
  openBrokerRoot({ path: 'a/b/c', key: SECRET }),
]
const LABEL = new TextEncoder().encode('label')

function openElsewhere(sealed: readonly Uint8Array[]): Record<string, string>[] {
  const { mrEnclave, mrSigner, ...rest } = IDENTITY
  const identity = { ...rest, mrEnclave: hex(mrEnclave), mrSigner: hex(mrSigner) }
  const input = JSON.stringify({ secret: hex(SECRET), identity, sealed: sealed.map(hex) })
  return JSON.parse(execFileSync('python3', [SCRIPT], { input, maxBuffer: 2 ** 24 }).toString())
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function sealAs(
  form: 'blob' | 'stream',
  plaintext: Uint8Array,
  options: SealOptions,
): Promise<Uint8Array> {
  if (form === 'blob') return seal(plaintext, options)
  return buffer(Readable.from([plaintext], { objectMode: false }).pipe(new SealStream(options)))
}

test('what is sealed opens in Python, under every root and policy, as blob and as stream', {
  skip,
}, async () => {
  const cases = ROOTS.flatMap((root, index) =>
    POLICIES.flatMap(policy =>
      (['blob', 'stream'] as const).map(form => {
        const plaintext = Buffer.alloc(form === 'blob' ? 1000 : 65_536 * index, 'xyz')
        const options: SealOptions = { root, identity: IDENTITY, policy, additionalData: LABEL }
        return { plaintext, sealed: sealAs(form, plaintext, options) }
      }),
    ),
  )
  const opened = openElsewhere(await Promise.all(cases.map(({ sealed }) => sealed)))
  const wanted = cases.map(({ plaintext }) => ({ plaintext: hex(plaintext), label: hex(LABEL) }))
  assert.deepEqual(opened, wanted)
})

test('what is changed does not open in Python either', { skip }, async () => {
  const options: SealOptions = {
    root: ROOTS[3]!,
    identity: IDENTITY,
    policy: 'mrSigner',
    additionalData: LABEL,
  }
  const both = await Promise.all(
    (['blob', 'stream'] as const).map(form => sealAs(form, Buffer.alloc(100), options)),
  )
  const changed = both.map(sealed => sealed.with(130, (sealed[130] ?? 0) ^ 1))
  assert.deepEqual(openElsewhere(changed), [{ error: 'tag' }, { error: 'tag' }])
})

/** Of what is sealed with key id and nonce of 7, 7, 7 …: they change when the format does, and never else. */
const FIXED = [
  ['blob', 0, '45c296488fdb955625c0bb47142b8fe2b6a36d7ff7e8114669544d742107fef8'],
  ['stream', 0, '9d9f71f86f61574f1de9f6c3d8df024963b035ce06d26a7761e5ff98e33bad94'],
  ['blob', 3, 'd0761bf1c3f6b14dd0fde3604a28a16d2463d7adb8f9125e6e0a93ae89722fec'],
  ['stream', 3, 'a4f0ba4a2ed5455873627161c79fadb9779871107484d3ba7e6ca45201d1bbfd'],
] as const

test('the format is what it was', async () => {
  for (const [form, index, digest] of FIXED) {
    const root = ROOTS[index]!
    const random = (size: number): Uint8Array => new Uint8Array(size).fill(7)
    const options = { root, identity: IDENTITY, policy: 'mrSigner', additionalData: LABEL, random } as const
    const sealed = await sealAs(form, Buffer.alloc(70_000, 'xyz'), options)
    assert.equal(createHash('sha256').update(sealed).digest('hex'), digest, `${form} ${root.kind}`)
    unseal(sealed, options)
  }
})
