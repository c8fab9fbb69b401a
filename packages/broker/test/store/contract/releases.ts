// Releases: recorded while what they were decided on holds.
import { test } from 'node:test'
import { AT, type Both, PATH, record, refuses, sealedAs } from './common.ts'

export function describeReleases(both: Both): void {
  test('are recorded while what they were decided on holds, and not after another process changed it', async () => {
    const [one, other] = both()
    const basisNow = async () => ({
      path: PATH,
      revision: (await one.store.secrets.find(PATH))?.revision ?? 0,
      ruleGeneration: await one.store.documents.generation('rule'),
    })
    const release = (basis: Awaited<ReturnType<typeof basisNow>>) =>
      one.store.releases.record(record('release.granted'), basis)
    let basis = await basisNow()
    await release(basis)
    await other.store.documents.put(
      { kind: 'rule', name: 'r', document: {}, at: AT },
      'any',
      record('rule.put'),
    )
    await refuses('conflict', release(basis))
    basis = await basisNow()
    await release(basis)
    await other.store.secrets.put(sealedAs(5), 'any', record('secret.put'))
    await refuses('conflict', release(basis))
    basis = await basisNow()
    await other.store.secrets.delete(PATH, 'any', record('secret.deleted'))
    await refuses('conflict', release(basis))
  })
}
