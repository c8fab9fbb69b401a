// Documents: what each process sees, preconditions, pages.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Precondition } from '../../../src/store/store.ts'
import { AT, type Both, type Handle, record, refuses } from './common.ts'

export function describeDocuments(both: Both): void {
  const put = ({ store }: Handle, name: string, expected: Precondition = 'any') =>
    store.documents.put({ kind: 'rule', name, document: { name }, at: AT }, expected, record('rule.put'))
  const remove = ({ store }: Handle, name: string, expected: Precondition = 'any') =>
    store.documents.delete('rule', name, { expected, entry: record('rule.deleted') })

  test('are seen as another process left them, with the generation of their kind', async () => {
    const [one, other] = both()
    const before = await other.store.documents.generation('rule')
    const made = await put(one, 'x')
    assert.deepEqual([made.value.isNew, made.value.revision], [true, before + 1])
    assert.equal(await other.store.documents.generation('rule'), before + 1)
    assert.deepEqual((await other.store.documents.find('rule', 'x'))?.document, { name: 'x' })
    const again = await put(other, 'x')
    assert.deepEqual([again.value.isNew, again.value.revision], [false, before + 2])
    assert.equal(await one.store.documents.generation('rule'), before + 2)
    await remove(one, 'x')
    assert.equal(await other.store.documents.find('rule', 'x'), null)
    assert.equal(await other.store.documents.generation('rule'), before + 3)
    assert.equal(await other.store.documents.generation('policy'), 0)
  })

  test('tell the generations of what an appraisal needs together', async () => {
    const [one, other] = both()
    const change = { name: 'appraised', document: {}, at: AT }
    for (const kind of ['policy', 'reference'] as const) {
      const before = await other.store.documents.appraisalGenerations()
      await one.store.documents.put({ kind, ...change }, 'any', record('policy.put'))
      const after = { ...before, [kind]: before[kind] + 1 }
      assert.deepEqual(await other.store.documents.appraisalGenerations(), after)
      assert.equal(await other.store.documents.generation(kind), after[kind])
    }
  })

  test('are changed from the revision that was read, or not at all', async () => {
    const [one, other] = both()
    const { revision } = (await put(one, 'y', 'none')).value
    await refuses('precondition-failed', put(other, 'y', 'none'))
    await refuses('precondition-failed', put(other, 'z', 'some'))
    await refuses('precondition-failed', put(other, 'z', revision))
    const generation = await one.store.documents.generation('rule')
    const results = await Promise.allSettled([put(one, 'y', revision), put(other, 'y', revision)])
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    assert.equal(await one.store.documents.generation('rule'), generation + 1)
    await refuses('precondition-failed', remove(one, 'y', revision))
    await refuses('rule-missing', remove(one, 'z'))
    await refuses('rule-missing', remove(one, 'z', 'none'))
    await refuses('precondition-failed', remove(one, 'y', 'none'))
    await remove(other, 'y', 'some')
  })

  test('are not put beside others that changed meanwhile', async () => {
    const [one, other] = both()
    const beside = await one.store.documents.generation('rule')
    const putBeside = ({ store }: Handle, name: string) =>
      store.documents.put({ kind: 'rule', name, document: {}, at: AT, beside }, 'any', record('rule.put'))
    await putBeside(one, 'beside')
    await refuses('conflict', putBeside(other, 'too-late'))
    assert.equal(await other.store.documents.find('rule', 'too-late'), null)
    assert.equal(await other.store.documents.generation('rule'), beside + 1)
    await remove(one, 'beside')
  })

  test('take all of many changes at once that expect nothing', async () => {
    const [one, other] = both()
    const made = await Promise.all(Array.from({ length: 20 }, (_, at) => put(at % 2 ? one : other, 'busy')))
    assert.equal(made.filter(({ value }) => value.isNew).length, 1)
    assert.equal(new Set(made.map(({ value }) => value.revision)).size, 20)
  })

  test('are listed by name, page by page', async () => {
    const [one, other] = both()
    for (const name of ['b', 'a', 'B', 'c']) await put(one, name)
    const { items, next } = await other.store.documents.list('rule', { limit: 3, after: null })
    assert.deepEqual(
      items.map(({ name }) => name),
      ['B', 'a', 'b'],
    )
    const rest = await other.store.documents.list('rule', { limit: 3, after: next })
    assert.deepEqual([rest.items.map(({ name }) => name), rest.next], [['busy', 'c'], null])
  })
}
