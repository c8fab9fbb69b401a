// What the key file gives and refuses: versions that wrap and unwrap, under its mode or under a passphrase.

import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { StartError } from '../../src/errors.ts'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { Redacted } from '../../src/redacted.ts'
import { temporaryDirectory } from '../broker.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)

describe('the key-encryption key', () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'kek.json')
  after(() => rmSync(directory, { recursive: true }))

  const open = (passphrase: string | null = null, mayCreate = true, file = path) =>
    openFileKeyEncryption({
      path: file,
      passphrase: passphrase === null ? null : new Redacted(passphrase),
      mayCreate,
    })

  test('is made with mode 0600, and opens what it wrapped', async () => {
    const wrapped = await (await open()).wrap(bytes('data key'), 'place')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(wrapped.kekVersion, 1)
    assert.equal(text(await (await open()).unwrap(wrapped, 'place')), 'data key')
  })

  test('does not open what was moved, changed, or wrapped by another version', async () => {
    const kek = await open()
    const wrapped = await kek.wrap(bytes('data key'), 'place')
    await assert.rejects(kek.unwrap(wrapped, 'elsewhere'), { code: 'kek-damaged' })
    const changed = new Uint8Array(wrapped.bytes)
    changed[20]! ^= 1
    await assert.rejects(kek.unwrap({ ...wrapped, bytes: changed }, 'place'), { code: 'kek-damaged' })
    await assert.rejects(kek.unwrap({ ...wrapped, bytes: new Uint8Array(5) }, 'place'), {
      code: 'kek-damaged',
    })
    await assert.rejects(kek.unwrap({ ...wrapped, kekVersion: 7 }, 'place'), { code: 'kek-missing' })
    const two = await kek.addVersion()
    await assert.rejects(kek.unwrap({ ...wrapped, kekVersion: two }, 'place'), { code: 'kek-damaged' })
    assert.equal(text(await kek.unwrap(wrapped, 'place')), 'data key')
  })

  test('keeps old versions until they are retired, and never the current one', async () => {
    const kek = await open()
    const old = await kek.wrap(bytes('x'), 'p')
    const version = await kek.addVersion()
    assert.equal((await open()).currentVersion, version)
    await kek.retireVersion(old.kekVersion)
    await assert.rejects((await open()).unwrap(old, 'p'), { code: 'kek-missing' })
    await assert.rejects(kek.retireVersion(version), TypeError)
  })

  test('is refused where others may read it', async () => {
    chmodSync(path, 0o640)
    await assert.rejects(open(), { code: 'kek-unsafe' })
    chmodSync(path, 0o600)
  })

  test('is refused where it belongs to another user', async t => {
    if (process.getuid === undefined) return t.skip('no users on this platform')
    t.mock.method(process as { getuid: () => number }, 'getuid', () => 4_000_000)
    await assert.rejects(open(), (error: unknown) => {
      assert.ok(error instanceof StartError && error.code === 'kek-unsafe')
      return /belongs to user/.test(error.message)
    })
  })

  test('is refused where the file is no such file', async () => {
    const file = join(directory, 'broken.json')
    for (const content of ['', '{', '{}', '[]', JSON.stringify({ format: 'casemate-kek/2' })]) {
      writeFileSync(file, content, { mode: 0o600 })
      await assert.rejects(open(null, true, file), { code: 'kek-damaged' }, content)
    }
    const good = JSON.parse(readFileSync(path, 'utf8'))
    for (const change of [{ current: 99 }, { versions: [{ version: good.current, key: 'AAAA' }] }]) {
      writeFileSync(file, JSON.stringify({ ...good, ...change }))
      await assert.rejects(open(null, true, file), { code: 'kek-damaged' })
    }
  })

  test('is not made anew where something is wrapped already', async () => {
    await assert.rejects(open(null, false, join(directory, 'lost.json')), { code: 'kek-missing' })
  })

  test('under a passphrase opens with that one alone, and is not in the file', async () => {
    const file = join(directory, 'sealed.json')
    const wrapped = await (await open('correct horse', true, file)).wrap(bytes('x'), 'p')
    assert.equal(text(await (await open('correct horse', true, file)).unwrap(wrapped, 'p')), 'x')
    await assert.rejects(open('wrong horse', true, file), { code: 'kek-passphrase-wrong' })
    await assert.rejects(open(null, true, file), { code: 'kek-passphrase-missing' })
    const { protection, versions } = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(protection.kind, 'scrypt')
    assert.equal(Buffer.from(versions[0].key, 'base64').length, 60)
  })

  test('of which one version does not open is damaged, and the passphrase is not blamed for it', async () => {
    const file = join(directory, 'sealed.json')
    await (await open('correct horse', true, file)).addVersion()
    const content = JSON.parse(readFileSync(file, 'utf8'))
    const [one, two] = content.versions
    for (const versions of [
      [one, { ...two, key: one.key }],
      [{ ...one, key: two.key }, two],
    ]) {
      writeFileSync(file, JSON.stringify({ ...content, versions }))
      await assert.rejects(open('correct horse', true, file), {
        code: 'kek-damaged',
        message: /does not open/,
      })
      await assert.rejects(open('wrong horse', true, file), { code: 'kek-passphrase-wrong' })
    }
  })

  test('that no passphrase protects is not opened with one', async () => {
    await assert.rejects(open('some horse'), { code: 'config-conflict' })
  })
})
