// The key-encryption key in a process that did not open the key file.
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { StartError } from '../../src/errors.ts'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { KekCopies } from '../../src/keys/kek-copies.ts'
import { wrapUnder } from '../../src/keys/key-wrap.ts'
import { temporaryDirectory } from '../broker.ts'

test('a copy opens what any version has wrapped, is asked for once, and is gone when the version is retired', async t => {
  const directory = temporaryDirectory()
  t.after(() => rmSync(directory, { recursive: true }))
  const kek = await openFileKeyEncryption({
    path: join(directory, 'kek.json'),
    passphrase: null,
    mayCreate: true,
  })
  const asked: number[] = []
  const given: Uint8Array[] = []
  const copies = new KekCopies(async version => {
    asked.push(version)
    const bytes = kek.copy(version)
    given.push(bytes)
    return bytes
  })
  const secret = Buffer.from('a data key')
  const first = await kek.wrap(secret, 'here')
  await kek.addVersion()
  const second = await kek.wrap(secret, 'here')
  for (const wrapped of [first, second, first, second]) {
    assert.deepEqual(Buffer.from(await copies.unwrap(wrapped, 'here')), secret)
  }
  assert.deepEqual(asked, [1, 2])
  assert.ok(given.every(bytes => bytes.length === 32 && bytes.every(byte => byte === 0)))
  await assert.rejects(copies.unwrap(second, 'elsewhere'), { code: 'kek-damaged' })

  await kek.retireVersion(1)
  assert.deepEqual(Buffer.from(await copies.unwrap(first, 'here')), secret, 'nobody told it')
  copies.forget(1)
  await assert.rejects(copies.unwrap(first, 'here'), { code: 'kek-missing' })
  assert.deepEqual(Buffer.from(await copies.unwrap(second, 'here')), secret)
})

test('a version that is retired while its copy is on the way is not kept', async () => {
  const asked: number[] = []
  const onTheWay = Promise.withResolvers<Uint8Array>()
  const copies = new KekCopies(version => {
    asked.push(version)
    return asked.length === 1 ? onTheWay.promise : Promise.reject(new StartError('kek-missing', 'retired'))
  })
  const bytes = randomBytes(32)
  const wrapped = wrapUnder({ version: 1, key: createSecretKey(bytes) }, Buffer.from('a data key'), 'here')
  const opening = copies.unwrap(wrapped, 'here')
  // Two messages that arrive in one piece: the second is acted upon before anybody who waits for the first goes on.
  onTheWay.resolve(bytes)
  copies.forget(1)
  await assert.rejects(opening, { code: 'kek-missing' })
  assert.ok(bytes.every(byte => byte === 0))
  await assert.rejects(copies.unwrap(wrapped, 'here'), { code: 'kek-missing' })
  assert.deepEqual(asked, [1, 1])
})
