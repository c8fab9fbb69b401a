// The log: one for all processes, with changes that go with its entries.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Both, ContractSubject } from './common.ts'

export function describeLog(both: Both, { open, changes }: ContractSubject): void {
  test('is one, in one order, whoever appends', async () => {
    const [one, other] = both()
    const appended = await Promise.all(
      [one, other, one, other].map(({ ledger }, at) => ledger.append({ type: 'test', at })),
    )
    const indexes = appended.map(({ index }) => index)
    assert.equal(new Set(indexes).size, 4)
    assert.equal((await one.ledger.append({ type: 'test' })).index, Math.max(...indexes) + 1)
    await other.ledger.append({ type: 'test' })
    const report = await other.ledger.check()
    assert.equal(report.size, Math.max(...indexes) + 3)
  })

  test('has a change with its entry or neither, and refuses one without its neighbours', async () => {
    const [one, other] = both()
    const results = await Promise.allSettled([
      one.ledger.append({ name: 'a' }, changes.put('a')),
      one.ledger.append({ name: 'b' }, [...changes.put('b'), ...changes.refused]),
      one.ledger.append({ name: 'a again' }, changes.put('a')),
      one.ledger.append({ name: 'c' }, changes.put('c')),
    ])
    assert.deepEqual(
      results.map(result => (result.status === 'rejected' ? result.reason.code : 'taken')),
      ['taken', 'change-refused', 'change-refused', 'taken'],
    )
    assert.deepEqual(changes.names(other), ['a', 'c'])
    const [a, , , c] = results.map(result => (result.status === 'fulfilled' ? result.value.index : -1))
    assert.equal(c, (a ?? -1) + 1)
    assert.deepEqual((await one.ledger.entry(c ?? -1)).entry, { name: 'c' })
  })

  test('refuses what another process did first', async () => {
    const [one, other] = both()
    const results = await Promise.allSettled(
      [one, other].map(({ ledger }) => ledger.append({ name: 'd' }, changes.put('d'))),
    )
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })

  test('commits a change that goes with no entry, or none of it', async () => {
    const [one, other] = both()
    await one.database.write(changes.put('e'))
    await assert.rejects(one.database.write([...changes.put('f'), ...changes.refused]), {
      code: 'change-refused',
    })
    assert.deepEqual(changes.names(other), ['a', 'c', 'd', 'e'])
  })

  test('shows each process what the others appended, and proves it', async () => {
    const [one, other] = both()
    const { index } = await one.ledger.append({ seen: 'by all' })
    assert.deepEqual((await other.ledger.entry(index)).entry, { seen: 'by all' })
    const next = await one.ledger.append({ seen: 'again' })
    assert.equal((await other.ledger.checkpoint()).size, next.index + 1)
    const last = await one.ledger.append({ seen: 'at last' })
    assert.equal((await other.ledger.entries({ from: last.index, limit: 5 })).length, 1)
    await one.ledger.append({ seen: 'in a tile' })
    assert.equal((await other.ledger.inclusion(last.index + 1, last.index + 2)).length > 0, true)
    assert.equal((await one.ledger.append({})).index, (await other.ledger.currentSize()) - 1)
    await assert.rejects(other.ledger.entry(last.index + 3), { code: 'entry-not-found' })
    await other.ledger.check()
  })

  test('has one checkpoint of a size, and the first stays', async () => {
    const [one, other] = both()
    const { size, note } = await one.ledger.checkpoint()
    assert.equal(await other.database.keepCheckpoint({ size, note: 'of another root' }), note)
    assert.equal((await other.database.checkpointFrom(size))?.note, note)
  })

  test('is begun once: whoever comes later finds it, and a log of another key is not begun beside it', async () => {
    const [one] = both()
    const third = await open()
    assert.equal(third.ledger.verifierKey, one.ledger.verifierKey)
    const found = await third.database.begin('another+00000000+AAAA')
    assert.equal(found.verifierKey, one.ledger.verifierKey)
    await third.close()
  })

  test('loses the content of an entry once, whoever erases it', async () => {
    const [one, other] = both()
    const { index } = await one.ledger.append({ private: 'x' })
    await other.ledger.append({ type: 'test' })
    await other.ledger.erase(index, { why: 'asked for' })
    assert.equal((await one.ledger.entry(index)).entry, null)
    await assert.rejects(one.ledger.erase(index, { why: 'again' }), { code: 'entry-erased' })
    await one.ledger.check()
  })
}
