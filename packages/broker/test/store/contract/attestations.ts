// Attestations: one verdict for a challenge, bases that hold, room for refusals, purges.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entry } from '../../../src/entry.ts'
import type { AttestationBasis, NewAttestation, Verdict } from '../../../src/store/store.ts'
import {
  AT,
  type Both,
  type ContractSubject,
  type Handle,
  MINUTE_MS,
  record,
  refuses,
  withCode,
} from './common.ts'

const EVERYTHING = { limit: 1_000, after: null }

export function describeAttestations(both: Both, { refusalBudget }: ContractSubject): void {
  let made = 0
  const attestation = (verdict: Verdict, bytes = 10, at = AT): NewAttestation => ({
    id: `contract-${++made}`,
    at,
    verdict,
    kind: 'tdx',
    code: verdict === 'accepted' ? null : 'x',
    explanation: {},
    evidence: new Uint8Array(bytes),
  })
  const NOTHING: AttestationBasis = { challenge: null, generations: null }
  const insert = ({ store }: Handle, what: NewAttestation, basis: AttestationBasis = NOTHING) =>
    store.attestations.insert(what, record(`attestation.${what.verdict}`), basis)
  const answering = (nonce: string, endsAt = new Date(AT.getTime() + MINUTE_MS)): AttestationBasis => ({
    challenge: { nonce, endsAt },
    generations: null,
  })

  test('name the entry that they were recorded by', async () => {
    const [one, other] = both()
    const what = attestation('accepted')
    const { index } = await insert(one, what)
    assert.equal((await other.store.attestations.find(what.id))?.ledgerIndex, index)
  })

  test('take a challenge once, in whichever process, and leave nothing of the second', async () => {
    const [one, other] = both()
    const { size } = one.ledger
    const twice = [attestation('accepted'), attestation('refused')]
    const results = await Promise.allSettled([
      insert(one, twice[0]!, answering('n')),
      insert(other, twice[1]!, answering('n')),
    ])
    assert.equal(results[0].status, 'fulfilled')
    assert.ok(results[1].status === 'rejected' && withCode('session-invalid')(results[1].reason))
    assert.equal(await one.store.attestations.find(twice[1]!.id), null)
    await refuses('session-invalid', insert(one, attestation('accepted'), answering('n')))
    await insert(other, attestation('accepted'), answering('m'))
    assert.equal((await one.ledger.append({ type: 'test' })).index, size + 2)
  })

  test('leave a challenge to be taken where they are not recorded', async () => {
    const [one, other] = both()
    const known = attestation('accepted')
    await insert(one, known)
    await assert.rejects(insert(one, known, answering('o')))
    await insert(other, attestation('accepted'), answering('o'))
  })

  test('know a challenge for a while after its end, as clocks differ', async () => {
    const [one, other] = both()
    const soon = answering('p', new Date(AT.getTime() + 1_000))
    await insert(one, attestation('accepted'), soon)
    await insert(other, attestation('accepted', 1, new Date(AT.getTime() + 30_000)), answering('q'))
    await refuses('session-invalid', insert(other, attestation('accepted'), soon))
  })

  test('are not recorded once nobody knows any more whether their challenge was taken', async () => {
    const [one, other] = both()
    const ended = answering('late', new Date(AT.getTime() - 2 * MINUTE_MS))
    const size = await one.ledger.currentSize()
    await refuses('session-invalid', insert(one, attestation('accepted'), ended))
    await refuses('session-invalid', insert(other, attestation('accepted'), ended))
    assert.equal(await other.ledger.currentSize(), size)
  })

  test('are not recorded on documents that changed meanwhile', async () => {
    const [one, other] = both()
    const generations = {
      policy: await one.store.documents.generation('policy'),
      reference: await one.store.documents.generation('reference'),
    }
    const basis = { challenge: null, generations }
    await insert(one, attestation('accepted'), basis)
    for (const kind of ['policy', 'reference'] as const) {
      const change = { kind, name: 'default', document: {}, at: AT }
      await other.store.documents.put(change, 'any', record(`${kind}.put`))
      const what = attestation('accepted')
      await refuses('conflict', insert(one, what, { ...basis, challenge: answering(kind).challenge }))
      assert.equal(await other.store.attestations.find(what.id), null)
      generations[kind] = await one.store.documents.generation(kind)
      await insert(one, what, { ...basis, challenge: answering(kind).challenge })
    }
  })

  test('take no more room for refused ones than their budget, whoever adds them', async () => {
    const [one, other] = both()
    const bytes = Math.floor(refusalBudget / 4)
    const added = Array.from({ length: 12 }, () => attestation('refused', bytes))
    await Promise.all(added.map((what, at) => insert(at % 2 ? one : other, what)))
    const { items } = await one.store.attestations.list('refused', EVERYTHING)
    assert.equal(items.length, 3)
    const large = attestation('refused', 2 * refusalBudget)
    await insert(other, large)
    const left = await one.store.attestations.list('refused', EVERYTHING)
    assert.deepEqual(
      left.items.map(({ id }) => id),
      [large.id],
    )
    assert.equal((await other.store.attestations.evidence(large.id))?.length, 2 * refusalBudget)
    assert.equal(await one.store.attestations.evidence(items[0]!.id), null)
  })

  test('are purged once, and the entry says how many', async () => {
    const [one, other] = both()
    const before = new Date(AT.getTime() + 10 * MINUTE_MS)
    const counts: number[] = []
    const purge = ({ store }: Handle) =>
      store.attestations.purgeRefused(before, count => {
        counts.push(count)
        return entry({ type: 'refusals.purged', at: AT, actor: { system: 'contract' } }, { count })
      })
    await insert(one, attestation('refused'))
    const results = await Promise.all([purge(one), purge(other)])
    const done = results.filter(result => result !== null)
    assert.equal(done.length, 1)
    assert.equal(done[0]?.value, counts[0])
    assert.equal((await one.store.attestations.list('refused', EVERYTHING)).items.length, 0)
    assert.equal(await other.store.attestations.purgeRefused(before, () => assert.fail('nothing')), null)
    const purged = await other.store.attestations.purgeEvidence(before, () => record('evidence.purged'))
    assert.ok((purged?.value ?? 0) > 0)
    const { items } = await one.store.attestations.list('accepted', EVERYTHING)
    assert.ok(items.length > 0 && items.every(({ evidenceKept }) => !evidenceKept))
  })
}
