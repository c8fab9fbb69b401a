// The portable part as a browser runs it: bundled for one, with WebCrypto and nothing of Node's.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import * as fc from 'fast-check'
import type * as portable from '../src/index.ts'
import { sha256 as nodeSha256, verifyEd25519 as nodeVerify } from '../src/node/crypto.ts'
import { openLedger, SqliteLedger } from '../src/node/index.ts'
import { sha256 as webSha256, verifyEd25519 as webVerify } from '../src/web/crypto.ts'
import { fill, KEY, ORIGIN, START, temporaryDirectory } from './node/fixture.ts'

test('both providers hash alike', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async bytes => {
      assert.deepEqual(await webSha256(bytes), await nodeSha256(bytes))
    }),
  )
})

/** RFC 8032 section 7.1, test 3. */
const RFC8032 = {
  publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
  message: 'af82',
  signature:
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
    '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
} as const
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

for (const [name, verify] of Object.entries({ Node: nodeVerify, WebCrypto: webVerify })) {
  test(`${name} accepts the signature of RFC 8032 and no other`, async () => {
    const [key, message, signature] = [RFC8032.publicKey, RFC8032.message, RFC8032.signature].map(hex) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    assert.equal(await verify(key, message, signature), true)
    assert.equal(await verify(key, message.with(0, 0), signature), false)
    assert.equal(await verify(key, message, signature.with(0, 0)), false)
    assert.equal(await verify(key, message, signature.subarray(1)), false)
  })
}

test('a bundle for browsers needs nothing of Node and verifies a receipt', async t => {
  const outfile = join(temporaryDirectory(t), 'ledger.mjs')
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, '../src/index.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    logLevel: 'silent',
    outfile,
  })
  const inputs = Object.keys(metafile.inputs)
  assert.ok(inputs.some(input => input.endsWith('src/web/crypto.ts')))
  assert.deepEqual(
    inputs.filter(input => input.includes('src/node/')),
    [],
  )
  const bundled = (await import(pathToFileURL(outfile).href)) as typeof portable
  const db = new DatabaseSync(':memory:')
  const ledger = await openLedger({
    database: new SqliteLedger(db),
    origin: ORIGIN,
    signingKey: KEY,
    now: () => new Date(START),
  })
  await fill(ledger, 300)
  const receipt = await ledger.receipt(7)
  const { verifierKey: key } = ledger
  assert.equal((await bundled.verifyReceipt(receipt, { key })).index, 7)
  const changed = { ...receipt, index: 8 }
  await assert.rejects(bundled.verifyReceipt(changed, { key }), { code: 'receipt-invalid' })
})
