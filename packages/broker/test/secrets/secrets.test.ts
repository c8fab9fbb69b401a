import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Redacted } from '../../src/redacted.ts'
import { secretPath } from '../../src/secret-path.ts'
import { openTestBroker, type TestBroker } from '../broker.ts'

const ACTOR = { system: 'test' } as const
const path = secretPath('default', 'key', 'one')

describe('secrets', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  test('the plaintext is lent, then zeroed; what was put is zeroed too', async () => {
    const given = Buffer.from('content')
    await broker.context.secrets.put(path, given, { actor: ACTOR, expected: 'any' })
    assert.deepEqual(given, Buffer.alloc(7))
    let kept: Uint8Array = new Uint8Array()
    const read = await broker.context.secrets.withPlaintext(path, 1, plaintext => {
      kept = plaintext
      return Buffer.from(plaintext).toString()
    })
    assert.equal(read, 'content')
    assert.deepEqual(Buffer.from(kept), Buffer.alloc(7))
  })

  test('it is zeroed also where its use fails, or the put does', async () => {
    let kept: Uint8Array = new Uint8Array()
    const failing = broker.context.secrets.withPlaintext(path, 1, plaintext => {
      kept = plaintext
      throw new Error('use failed')
    })
    await assert.rejects(failing, /use failed/)
    assert.deepEqual(Buffer.from(kept), Buffer.alloc(7))
    const given = Buffer.from('content')
    await assert.rejects(broker.context.secrets.put(path, given, { actor: ACTOR, expected: 'none' }), {
      code: 'precondition-failed',
    })
    assert.deepEqual(given, Buffer.alloc(7))
  })

  test('every version opens as it was put', async () => {
    await broker.context.secrets.put(path, Buffer.from('second'), { actor: ACTOR, expected: 'any' })
    const read = (version: number) =>
      broker.context.secrets.withPlaintext(path, version, bytes => Buffer.from(bytes).toString())
    assert.deepEqual([await read(1), await read(2)], ['content', 'second'])
    await assert.rejects(read(3), { code: 'secret-missing' })
  })

  test('the same content put twice looks different at rest', async () => {
    const stored = async (tag: string) => {
      const at = secretPath('default', 'key', tag)
      await broker.context.secrets.put(at, Buffer.from('same'), { actor: ACTOR, expected: 'any' })
      return (await broker.context.store.secrets.open(at, 'current'))!
    }
    const [one, two] = [await stored('same1'), await stored('same2')]
    assert.notDeepEqual(one.ciphertext, two.ciphertext)
    assert.notDeepEqual(one.dataKey.bytes, two.dataKey.bytes)
  })

  test('a path has three segments that cannot be anything else', () => {
    assert.deepEqual(secretPath('a', '-b', '_c.d'), { repository: 'a', type: '-b', tag: '_c.d' })
    for (const bad of ['', '.', '..', '.a', 'a/b', 'a b', 'a\0', 'ä', 'x'.repeat(129), 'a\n', '*']) {
      assert.throws(() => secretPath(bad, 'b', 'c'), { code: 'name-invalid' }, bad)
      assert.throws(() => secretPath('a', 'b', bad), { code: 'name-invalid' }, bad)
    }
  })
})

describe('a redacted value', () => {
  test('is printed by nothing, and revealed by name', () => {
    const value = new Redacted('s3cr3t')
    const prints = [String(value), JSON.stringify({ value }), inspect({ value }, { showHidden: true })]
    for (const print of prints) assert.ok(!print.includes('s3cr3t') && print.includes('<redacted>'), print)
    assert.equal(value.reveal(), 's3cr3t')
  })
})
