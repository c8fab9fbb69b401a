// The stage of the examples: who proves what to whom, and who gets nothing.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parsePolicy } from '@casemate/appraisal'
import { connectEnclave } from '@casemate/channel'
import { verifyRelease } from '@casemate/client'
import {
  encodeImage,
  openBrokerRoot,
  parseImage,
  SIGSTRUCT_SIZE,
  seal,
  signImage,
  unseal,
} from '@casemate/enclave'
import { SIGNING, testSigningKey } from '../../../packages/enclave/test/image/keys.ts'
import { PartyFailed } from '../child.ts'
import { openStage } from '../stage.ts'
import { policyFor } from '../trust.ts'

const build = { entry: join(import.meta.dirname, 'assembly', 'opener.ts'), isvProdId: 3, isvSvn: 2 }
const service = new URL('./opener-service.ts', import.meta.url)
const { privateKey: signingKey } = SIGNING
const stage = await openStage({ name: 'opener', build, service, signingKey })
const server = await stage.startServer()
const { privateKey: strangersKey } = await testSigningKey('stranger')
after(() => stage.close())
const message = new TextEncoder().encode('for this enclave alone')
const sealed = seal(message, { ...stage.owner, policy: 'mrEnclave', additionalData: new Uint8Array() })

async function refusal(promise: Promise<unknown>): Promise<PartyFailed> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof PartyFailed, String(error))
    return error
  }
  return assert.fail('the server got the key')
}

interface Change {
  readonly debug?: boolean
  readonly isvSvn?: number
  readonly code?: Uint8Array
}

/** The image with what is changed, signed by somebody else. */
function signed({ code, ...members }: Change): Uint8Array {
  const image = parseImage(stage.image.bytes)
  const unsigned = encodeImage({ ...image.manifest, ...members }, code ?? image.code)
  return signImage(unsigned, { privateKey: strangersKey, date: '20260101' })
}

test('the attested enclave opens what the owner sealed, and each release of the key has a receipt', async () => {
  const client = await stage.connect()
  assert.deepEqual(Buffer.from(await client.call('open', sealed)), Buffer.from(message))
  assert.equal(client.peer?.claims.simulated, true)
  await client.close()
  const receipts = await stage.receipts()
  assert.equal(receipts.length, 1)
  const last = receipts.at(-1)!
  assert.equal(last.entry['secret'], 'opener/key/data')
  // Another log's key proves nothing.
  const { admin, ledgerKey } = stage.broker
  const other = ledgerKey.replace(/.$/, end => (end === 'A' ? 'B' : 'A'))
  await assert.rejects(verifyRelease({ admin, index: last.index, key: other }))
})

/** The broker's record of the newest refusal. */
async function violations(): Promise<string[]> {
  const { items } = await stage.broker.admin.attestations.list('refused', { limit: 1 })
  const { explanation } = (await stage.broker.admin.attestations.get(items[0]!.id)) as unknown as {
    readonly explanation: { readonly result: { readonly violations: readonly { readonly path: string }[] } }
  }
  return explanation.result.violations.map(({ path }) => path).sort()
}

test('changed code gets no key: not with the old signature, nor with one of its own', async () => {
  const changed = Uint8Array.from(stage.image.bytes)
  // The last byte of the code; what follows is the SIGSTRUCT.
  changed[changed.length - SIGSTRUCT_SIZE - 1]! ^= 1
  const broken = await refusal(stage.startServer({ image: changed }))
  assert.equal(broken.code, 'invalid-measurement')
  const { code } = parseImage(stage.image.bytes)
  // A custom section at the end: the same behaviour, other bytes.
  const other = Buffer.concat([code, Buffer.of(0, 2, 1, 0x78)])
  const resigned = await refusal(stage.startServer({ image: signed({ code: other }) }))
  assert.equal(resigned.code, 'appraisal-refused')
  assert.deepEqual(await violations(), ['enclave.mrEnclave', 'enclave.mrSigner'])
})

test('the same code of another signer gets no key', async () => {
  const { code } = await refusal(stage.startServer({ image: signed({}) }))
  assert.equal(code, 'appraisal-refused')
  assert.deepEqual(await violations(), ['enclave.mrSigner'])
})

test('a debug enclave, and one of an older security version, get no key', async () => {
  const image = signed({ debug: true })
  const debug = await refusal(stage.startServer({ image, debug: true }))
  assert.equal(debug.code, 'appraisal-refused')
  assert.ok((await violations()).includes('debug'))
  await refusal(stage.startServer({ image: signed({ isvSvn: 1 }) }))
  assert.ok((await violations()).includes('enclave.minIsvSvn'))
})

test('what is sealed does not open without the data key, nor for another enclave', () => {
  assert.ok(!Buffer.from(sealed).includes(message))
  const guess = openBrokerRoot({ path: 'guess', key: new Uint8Array(32).fill(7) })
  assert.throws(() => unseal(sealed, { ...stage.owner, root: guess }))
  const identity = { ...stage.owner.identity, mrEnclave: new Uint8Array(32) }
  assert.throws(() => unseal(sealed, { ...stage.owner, identity }), { code: 'seal-enclave-mismatch' })
  assert.deepEqual(unseal(sealed, stage.owner).plaintext, message)
})

test('a client that wants another enclave does not talk to this one', async () => {
  for (const [member, value] of [
    ['mrEnclave', '11'.repeat(32)],
    ['mrSigner', '22'.repeat(32)],
    ['isvProdId', 4],
    ['isvSvn', 3],
  ] as const) {
    const policy = policyFor({ ...stage.image, [member]: value }, 'sgx')
    const peer = { ...stage.demands, policy: parsePolicy(policy) }
    await assert.rejects(connectEnclave({ ...server.ready, peer }), { code: 'appraisal-refused' }, member)
  }
  const { simulated: _, ...strict } = policyFor(stage.image, 'sgx')
  const peer = { ...stage.demands, policy: parsePolicy(strict) }
  await assert.rejects(connectEnclave({ ...server.ready, peer }), { code: 'appraisal-refused' })
})

const isLong = process.env['CASEMATE_LONG_TESTS'] === '1'
for (const kind of ['tdx', 'snp'] as const) {
  const skip = kind === 'snp' && !isLong ? 'CASEMATE_LONG_TESTS=1 runs it' : false
  test(`the same enclave gets its key on ${kind}, from a machine that is known`, { skip }, async () => {
    const other = await openStage({ name: 'opener', build, service, signingKey, kind })
    try {
      await other.startServer()
      const client = await other.connect()
      assert.equal(client.peer?.claims.kind, kind)
      const given = { ...other.owner, policy: 'mrEnclave', additionalData: new Uint8Array() } as const
      const answer = await client.call('open', seal(message, given))
      assert.deepEqual(Buffer.from(answer), Buffer.from(message))
      await client.close()
    } finally {
      await other.close()
    }
  })
}

test('a server that is killed is gone, and the next one proves itself anew', async () => {
  process.kill(server.pid, 'SIGKILL')
  await server.ended
  await assert.rejects(stage.connect())
  await stage.startServer()
  const client = await stage.connect()
  assert.deepEqual(Buffer.from(await client.call('open', sealed)), Buffer.from(message))
  await client.close()
  assert.equal((await stage.receipts()).length, 2)
})
