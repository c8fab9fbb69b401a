// What the store keeps in memory of the database: a change is seen at once, and one that is undone leaves no trace.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { entry } from '../../src/entry.ts'
import { secretPath } from '../../src/secret-path.ts'
import { openTestBroker, START, type TestBroker } from '../broker.ts'

const ACTOR = { system: 'test' } as const

describe('generations of documents', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  const record = entry({ type: 'rule.put', at: START, actor: ACTOR })
  const put = (expected: 'any' | 'none') =>
    broker.context.store.documents.put({ kind: 'rule', name: 'x', document: {}, at: START }, expected, record)
  const generation = () => broker.context.store.documents.generation('rule')

  test('rise with every change, before whoever made it learns that it was made', async () => {
    const before = await generation()
    await put('any')
    assert.equal(await generation(), before + 1)
    await broker.context.store.documents.delete('rule', 'x', { expected: 'any', entry: record })
    assert.equal(await generation(), before + 2)
  })

  test('are those of the database also after changes of which one was undone', async () => {
    await put('any')
    const before = await generation()
    // One batch: a change, and one that fails its precondition after it.
    const [made, refused] = await Promise.allSettled([put('any'), put('none')])
    assert.deepEqual([made.status, refused.status], ['fulfilled', 'rejected'])
    assert.equal(await generation(), before + 1)
    const reopened = await broker.reopen()
    assert.equal(await reopened.context.store.documents.generation('rule'), before + 1)
    broker = reopened
  })

  test('of other kinds stay', async () => {
    const policies = await broker.context.store.documents.generation('policy')
    await put('any')
    assert.equal(await broker.context.store.documents.generation('policy'), policies)
  })
})

describe('a secret that was read before', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  const path = secretPath('default', 'key', 'kept')
  const other = secretPath('default', 'key', 'other')
  const change = { actor: ACTOR, expected: 'any' } as const
  const find = () => broker.context.secrets.find(path)

  test('is found as each change leaves it', async () => {
    const { secrets } = broker.context
    assert.equal(await find(), null)
    await secrets.put(path, Buffer.from('one'), change)
    assert.equal((await find())?.version, 1)
    await secrets.put(path, Buffer.from('two'), change)
    assert.equal((await find())?.version, 2)
    await secrets.deleteVersion(path, 2, { actor: ACTOR, expected: 'any' })
    assert.equal((await find())?.version, 1)
    await secrets.delete(path, change)
    assert.equal(await find(), null)
    await secrets.put(path, Buffer.from('three'), change)
    assert.equal((await find())?.version, 3)
  })

  test('is found as it was where a change of it was undone', async () => {
    const { secrets } = broker.context
    const before = await find()
    const failing = secrets.put(path, Buffer.from('four'), { actor: ACTOR, expected: 'none' })
    await assert.rejects(failing, { code: 'precondition-failed' })
    assert.deepEqual(await find(), before)
  })

  test('stays as it is when another changes', async () => {
    const before = await find()
    await broker.context.secrets.put(other, Buffer.from('x'), change)
    assert.deepEqual(await find(), before)
    assert.equal((await broker.context.secrets.find(other))?.version, 1)
  })
})
