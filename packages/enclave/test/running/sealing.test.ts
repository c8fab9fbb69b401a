// Code that seals: the keys are those of its identity, in whatever instance and process it runs.
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { parseImage } from '../../src/image/image.ts'
import type { Manifest } from '../../src/image/manifest.ts'
import { STATUS } from '../../src/running/abi.ts'
import { Enclave } from '../../src/running/enclave.ts'
import { seal, unseal } from '../../src/sealing/blob.ts'
import { parseHeader } from '../../src/sealing/header.ts'
import { identityOf } from '../../src/sealing/identity.ts'
import { makeRoot } from '../../src/sealing/root.ts'
import { FUNCTIONS, IMPORTS, makeImage } from './modules.ts'

const secret = createSecretKey(Buffer.alloc(32, 7))
const ROOT = makeRoot({
  kind: 'simulated',
  cpuSvn: null,
  secrets: { mrEnclave: secret, mrSigner: secret },
})
const DATA = Buffer.from('the first five bytes are the label')
const { echo } = FUNCTIONS

/** Seals its input, with its first five bytes as additional data, for this policy. */
const sealing = (name: string, policy: number) => ({
  ...echo!,
  name,
  body: [0x20, 0, 0x20, 1, 0x20, 0, 0x41, 5, 0x41, policy, 0x10, 0],
})
const open = { ...echo!, name: 'open', body: [0x20, 0, 0x20, 1, 0x10, 1] }

function image(manifest: Partial<Manifest> = {}): Uint8Array {
  return makeImage({
    module: { imports: [IMPORTS.seal, IMPORTS.unseal] },
    functions: [sealing('seal1', 1), sealing('seal2', 2), sealing('seal3', 3), open],
    manifest,
  })
}

async function run(t: TestContext, bytes: Uint8Array, debug = false): Promise<Enclave> {
  const platform = { sealing: ROOT, secrets: new Map(), log: () => undefined, report: () => undefined }
  const enclave = await Enclave.create(bytes, { platform, debug, signers: 'any', measurement: 'any' })
  t.after(() => enclave.close())
  return enclave
}

const fails = (promise: Promise<unknown>, status: number): Promise<void> =>
  assert.rejects(promise, { code: 'call-failed', got: String(status) })

test('what code seals it opens, in another instance of itself as well', async t => {
  const [first, second] = [await run(t, image()), await run(t, image())]
  for (const [name, policy] of [
    ['seal1', 'mrEnclave'],
    ['seal2', 'mrSigner'],
  ] as const) {
    const blob = await first.call(name, DATA)
    assert.equal(parseHeader(blob).policy, policy)
    const opened = await second.call('open', blob)
    assert.deepEqual(Buffer.from(opened), Buffer.concat([Buffer.of(5, 0, 0, 0), DATA.subarray(0, 5), DATA]))
  }
})

test('the keys are those of the image’s identity', async t => {
  const bytes = image()
  const enclave = await run(t, bytes)
  const parsed = parseImage(bytes)
  const identity = identityOf(parsed, parsed.sigstruct!)
  const { plaintext } = unseal(await enclave.call('seal1', DATA), { root: ROOT, identity })
  assert.deepEqual(Buffer.from(plaintext), DATA)
})

test('other code of the same signer opens what is for the signer, and nothing else', async t => {
  const old = await run(t, image())
  const renamed = await run(t, image({ name: 'other' }))
  await fails(renamed.call('open', await old.call('seal1', DATA)), STATUS['seal-enclave-mismatch'])
  await renamed.call('open', await old.call('seal2', DATA))
})

test('an older version does not open what a newer one sealed for the signer', async t => {
  const old = await run(t, image({ isvSvn: 1 }))
  const newer = await run(t, image({ isvSvn: 2 }))
  await newer.call('open', await old.call('seal2', DATA))
  await fails(old.call('open', await newer.call('seal2', DATA)), STATUS['seal-svn-too-new'])
})

test('a debug enclave opens nothing of a production one', async t => {
  const production = await run(t, image())
  const debug = await run(t, image({ debug: true }), true)
  await fails(debug.call('open', await production.call('seal2', DATA)), STATUS['seal-debug-mismatch'])
})

test('what is no blob and what is no policy are statuses, not crashes', async t => {
  const enclave = await run(t, image())
  await fails(enclave.call('open', DATA), STATUS['seal-malformed'])
  await fails(enclave.call('seal3', DATA), STATUS['invalid-parameter'])
})

test('a blob opens also where the code’s memory has to grow for what was in it', async t => {
  const bytes = image()
  const enclave = await run(t, bytes)
  const parsed = parseImage(bytes)
  const identity = identityOf(parsed, parsed.sigstruct!)
  const data = Buffer.alloc(60_000, 'casemate')
  const options = { root: ROOT, identity, policy: 'mrEnclave', additionalData: new Uint8Array(3) } as const
  const opened = await enclave.call('open', seal(data, options))
  assert.deepEqual(Buffer.from(opened), Buffer.concat([Buffer.of(3, 0, 0, 0), Buffer.alloc(3), data]))
})
