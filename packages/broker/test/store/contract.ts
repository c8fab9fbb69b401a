// The contract of the store and of the database that its ledger is kept in, whichever database that is. Two handles on one
// stand for two processes: neither knows what the other does but from what is stored.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Change, Ledger, LedgerDatabase } from '@casemate/ledger/node'
import { type Entry, type EntryType, entry } from '../../src/entry.ts'
import { BrokerError, type BrokerErrorCode } from '../../src/errors.ts'
import { secretPath } from '../../src/secret-path.ts'
import type {
  AttestationBasis,
  NewAttestation,
  Precondition,
  SealedSecret,
  Store,
  StoredKey,
  StoredToken,
  Verdict,
} from '../../src/store/store.ts'

/** As one process has it open. */
export interface Handle {
  readonly store: Store
  readonly ledger: Ledger
  readonly database: LedgerDatabase
  close(): Promise<void>
}

/** What a database has to offer to be looked at. */
export interface ContractSubject {
  /** Opens the one database of the suite, which is empty at first; whenever it is called. */
  readonly open: () => Promise<Handle>
  /** In the words of the database: a change that puts a row, and fails where it is there; and one that is always refused. */
  readonly changes: {
    readonly prepare: (handle: Handle) => void
    readonly put: (name: string) => Change
    readonly refused: Change
    readonly names: (handle: Handle) => readonly string[]
  }
  /** Bytes that refused attestations may take. */
  readonly refusalBudget: number
}

const AT = new Date('2026-11-22T12:00:00Z')
const MINUTE_MS = 60_000
const EVERYTHING = { limit: 1_000, after: null }

const record = (type: EntryType, at = AT): Entry => entry({ type, at, actor: { system: 'contract' } })
const withCode = (code: BrokerErrorCode) => (error: unknown) =>
  error instanceof BrokerError && error.code === code
const refuses = (code: BrokerErrorCode, work: Promise<unknown>) => assert.rejects(work, withCode(code))

/** States the contract; `what` names the database. */
export function describeStore(what: string, subject: ContractSubject): void {
  describe(`the store in ${what}`, () => {
    let handles: readonly [Handle, Handle]
    before(async () => {
      const first = await subject.open()
      subject.changes.prepare(first)
      handles = [first, await subject.open()]
    })
    after(async () => {
      for (const handle of handles) await handle.close()
    })
    const both = () => handles
    describe('its log', () => describeLog(both, subject))
    describe('its documents', () => describeDocuments(both))
    describe('its secrets', () => describeSecrets(both))
    describe('its attestations', () => describeAttestations(both, subject))
    describe('its releases', () => describeReleases(both))
    describe('its tokens', () => describeTokens(both))
    describe('its keys', () => describeKeys(both))
    describe('what is done once', () => describeOnce(both))
  })
}

type Both = () => readonly [Handle, Handle]

function describeLog(both: Both, { open, changes }: ContractSubject): void {
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

function describeDocuments(both: Both): void {
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

const PATH = secretPath('default', 'key', 'contract')

const sealedAs = (version: number, kekVersion = 1): SealedSecret => ({
  ...PATH,
  version,
  createdAt: AT,
  sizeBytes: 3,
  dataKey: { kekVersion, bytes: new Uint8Array([kekVersion]) },
  ciphertext: new Uint8Array([version]),
})

function describeSecrets(both: Both): void {
  const put = ({ store }: Handle, version: number, expected: Precondition = 'any') =>
    store.secrets.put(sealedAs(version), expected, record('secret.put'))
  const remove = ({ store }: Handle, expected: Precondition = 'any') =>
    store.secrets.delete(PATH, expected, record('secret.deleted'))

  test('have each version once, whoever puts it', async () => {
    const [one, other] = both()
    assert.equal((await put(one, 1, 'none')).value.isNew, true)
    const results = await Promise.allSettled([put(one, 2), put(other, 2)])
    const refusal = results.find(result => result.status === 'rejected')
    assert.ok(withCode('conflict')(refusal?.reason))
    await refuses('conflict', put(one, 1))
    await refuses('conflict', put(one, 4))
    assert.equal(await other.store.secrets.lastVersion(PATH), 2)
    assert.equal((await put(other, 3)).value.isNew, false)
    assert.equal((await one.store.secrets.open(PATH, 'current'))?.version, 3)
    assert.equal((await one.store.secrets.open(PATH, 1))?.ciphertext[0], 1)
  })

  test('lose one version or all, and never use a number twice', async () => {
    const [one, other] = both()
    const entryOf = () => ({ expected: 'any', entry: record('secret.version-deleted') }) as const
    await one.store.secrets.deleteVersion(PATH, 3, entryOf())
    assert.equal((await other.store.secrets.find(PATH))?.version, 2)
    await refuses('secret-missing', other.store.secrets.deleteVersion(PATH, 3, entryOf()))
    const revision = (await one.store.secrets.find(PATH))?.revision ?? 0
    await refuses('precondition-failed', remove(other, revision - 1))
    await remove(other, revision)
    assert.equal(await one.store.secrets.find(PATH), null)
    assert.equal(await one.store.secrets.open(PATH, 2), null)
    await refuses('secret-missing', remove(one))
    await refuses('secret-missing', remove(one, revision))
    await refuses('precondition-failed', put(one, 4, 'some'))
    assert.equal((await put(one, 4, 'none')).value.isNew, true)
    assert.deepEqual(
      (await other.store.secrets.versions(PATH)).map(({ version }) => version),
      [4],
    )
  })
}

function describeAttestations(both: Both, { refusalBudget }: ContractSubject): void {
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

function describeReleases(both: Both): void {
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

function describeTokens(both: Both): void {
  const token = (id: string, role: StoredToken['role'] = 'admin', lifeMs = MINUTE_MS): StoredToken => ({
    id,
    name: id,
    role,
    hash: new Uint8Array(32),
    createdAt: AT,
    expiresAt: new Date(AT.getTime() + lifeMs),
  })
  const insert = ({ store }: Handle, what: StoredToken) => store.tokens.insert(what, record('token.created'))
  const remove = ({ store }: Handle, id: string) => store.tokens.delete(id, AT, record('token.deleted'))

  test('leave one administrator, whoever deletes the others', async () => {
    const [one, other] = both()
    for (const id of ['a', 'b']) await insert(one, token(id))
    await insert(one, token('auditor', 'auditor'))
    await insert(one, token('over', 'admin', -1))
    const results = await Promise.allSettled([remove(one, 'a'), remove(other, 'b')])
    const refusal = results.find(result => result.status === 'rejected')
    assert.ok(withCode('last-admin')(refusal?.reason))
    assert.equal(await one.store.tokens.countValidAdmins(AT), 1)
    await remove(other, 'auditor')
    await refuses('token-unknown', remove(one, 'auditor'))
    await remove(one, 'over')
  })

  test('have an id of their own', async () => {
    const [one, other] = both()
    await insert(one, token('c'))
    await assert.rejects(insert(other, token('c')), { code: 'change-refused' })
  })
}

function describeKeys(both: Both): void {
  const key = (id: string, purpose: StoredKey['purpose'] = 'token'): StoredKey => ({
    id,
    purpose,
    publicJwk: null,
    wrapped: { kekVersion: 1, bytes: new Uint8Array([1]) },
    createdAt: AT,
    activeFrom: AT,
    retiresAt: null,
  })

  test('of the ledger is one, whoever begins', async () => {
    const [one, other] = both()
    const first = await one.store.keys.bootstrap(key('first', 'ledger'))
    assert.equal((await other.store.keys.bootstrap(key('second', 'ledger'))).id, first.id)
    assert.equal((await one.store.keys.list('ledger')).length, 1)
  })

  test('are seen as another process left them, and retire from what they were', async () => {
    const [one, other] = both()
    await one.store.keys.rotate(key('old'), [], record('key.created'))
    const retiresAt = new Date(AT.getTime() + MINUTE_MS)
    await other.store.keys.rotate(key('new'), [{ id: 'old', retiresAt }], record('key.rotated'))
    const listed = await one.store.keys.list('token')
    assert.deepEqual(listed.find(({ id }) => id === 'old')?.retiresAt, retiresAt)
    await other.store.keys.delete(['old'], record('key.retired'))
    await assert.rejects(one.store.keys.delete(['old'], record('key.retired')), { code: 'change-refused' })
    const late = one.store.keys.rotate(key('newest'), [{ id: 'old', retiresAt }], record('key.rotated'))
    await assert.rejects(late, { code: 'conflict' })
    assert.deepEqual(
      (await other.store.keys.list('token')).map(({ id }) => id),
      ['new'],
    )
  })

  test('have one successor, whoever else makes one at the same time', async () => {
    const [one, other] = both()
    const before = await one.store.keys.list('token')
    const retired = before.map(({ id }) => ({ id, retiresAt: new Date(AT.getTime() + MINUTE_MS) }))
    const made = await Promise.allSettled([
      one.store.keys.rotate(key('next'), retired, record('key.rotated')),
      other.store.keys.rotate(key('too-late'), retired, record('key.rotated')),
    ])
    assert.deepEqual(
      made.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.deepEqual((made[1] as PromiseRejectedResult).reason.code, 'conflict')
    const left = (await other.store.keys.list('token')).filter(({ retiresAt }) => retiresAt === null)
    assert.deepEqual(
      left.map(({ id }) => id),
      ['next'],
    )
  })

  test('and secrets are rewrapped where they still are under an older version', async () => {
    const [one, other] = both()
    await one.store.secrets.put(sealedAs(6), 'any', record('secret.put'))
    const stale = await one.store.wrappings.stale(2, 100)
    assert.ok(stale.length > 1)
    const rewrapped = stale.map(item => ({ ...item, wrapped: { kekVersion: 2, bytes: new Uint8Array([2]) } }))
    const rewrap = ({ store }: Handle) => store.wrappings.rewrap(rewrapped, record('kek.rewrapped'))
    assert.equal((await rewrap(other)).value, stale.length)
    assert.equal((await rewrap(one)).value, 0)
    assert.deepEqual(await one.store.wrappings.versionsInUse(), [2])
    for (const version of [1, 2]) assert.deepEqual(await one.store.wrappings.stale(version, 100), [])
  })
}

function describeOnce(both: Both): void {
  test('one process does a kind of work at a time, and another may when it is over or has failed', async () => {
    const [one, other] = both()
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const first = one.store.exclusively('housekeeping', async () => {
      begun.resolve()
      await finish.promise
    })
    await begun.promise
    assert.equal(await other.store.exclusively('housekeeping', () => assert.fail('it is being done')), false)
    let others = 0
    assert.equal(await other.store.exclusively('another kind', async () => void others++), true)
    finish.resolve()
    assert.equal(await first, true)
    const failing = other.store.exclusively('housekeeping', () => Promise.reject(new Error('failed')))
    await assert.rejects(failing, /failed/)
    assert.equal(await one.store.exclusively('housekeeping', async () => void others++), true)
    assert.equal(others, 2)
  })

  test('a store that can be read says so', async () => {
    for (const { store } of both()) await store.check()
  })
}
