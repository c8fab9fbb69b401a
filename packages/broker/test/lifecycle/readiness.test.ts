// Ready means able: what cannot be done is said, and is over when it is over.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { LedgerError } from '@casemate/ledger'
import { entry } from '../../src/entry.ts'
import { Readiness } from '../../src/lifecycle/readiness.ts'
import { lockDataDirectory } from '../../src/store/data-directory.ts'
import { HOUR, later, openTestBroker, SECOND, START, type TestBroker } from '../broker.ts'

async function openBroken(t: TestContext): Promise<{ broker: TestBroker; other: DatabaseSync }> {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const other = new DatabaseSync(join(broker.dataDir, 'casemate.db'))
  t.after(() => {
    if (other.isOpen) other.close()
  })
  return { broker, other }
}

const ready = (broker: TestBroker) => broker.send('GET', '/readyz', { token: null })
const put = (broker: TestBroker) => broker.send('PUT', '/v1/secrets/default/key/one', { payload: 'x' })

const REFUSE_WRITES = `CREATE TRIGGER full BEFORE INSERT ON broker_settings BEGIN SELECT RAISE(ABORT, 'full'); END`

test('a broker that cannot write is not ready, says so without a write having been asked of it, and is ready again', async t => {
  const { broker, other } = await openBroken(t)
  assert.equal((await ready(broker)).status, 200)
  other.exec(REFUSE_WRITES)
  broker.clock = later(broker.clock, 2 * SECOND)
  const answer = await ready(broker)
  assert.equal(answer.status, 503)
  assert.equal(answer.body.reason, 'write-refused')
  assert.equal(answer.body.error.code, 'unavailable')
  assert.match(answer.body.error.hint, /full disk/)
  other.exec('DROP TRIGGER full')
  broker.clock = later(broker.clock, 2 * SECOND)
  assert.equal((await ready(broker)).status, 200)
})

test('a clock that is set neither keeps an old answer nor has the disk written more often', async t => {
  const { broker, other } = await openBroken(t)
  assert.equal((await ready(broker)).status, 200)
  other.exec(REFUSE_WRITES)
  broker.step(HOUR)
  assert.equal((await ready(broker)).status, 200)
  broker.step(-3 * HOUR)
  broker.clock = later(broker.clock, 2 * SECOND)
  assert.equal((await ready(broker)).body.reason, 'write-refused')
  other.exec('DROP TRIGGER full')
})

test('a write that was refused is seen at once', async t => {
  const { broker, other } = await openBroken(t)
  assert.equal((await ready(broker)).status, 200)
  other.exec(REFUSE_WRITES)
  other.exec("CREATE TRIGGER head BEFORE UPDATE ON ledger_head BEGIN SELECT RAISE(ROLLBACK, 'full'); END")
  assert.equal((await put(broker)).status, 503)
  assert.equal((await ready(broker)).body.reason, 'write-refused')
  other.exec('DROP TRIGGER full; DROP TRIGGER head')
})

test('a ledger that failed for good is not ready, is told to whoever runs the broker, and closes', async t => {
  const { broker, other } = await openBroken(t)
  other.exec('DELETE FROM ledger_head')
  assert.equal((await put(broker)).status, 500)
  const { status, body } = await ready(broker)
  assert.equal(status, 503)
  assert.equal(body.reason, 'ledger-failed')
  const told = await Promise.race([broker.failed, setImmediate('nobody was told')])
  assert.equal(told instanceof LedgerError ? told.code : told, 'ledger-damaged')
  // From the second on they are counted, and the ledger does not take the count.
  for (const token of ['cmt_wrong', 'cmt_wrong']) await broker.send('GET', '/v1/tokens', { token })
  await broker.close('keep-data')
  assert.ok(broker.log.some(line => line.includes('could not be recorded')))
  lockDataDirectory(broker.dataDir).release()
  const again = new DatabaseSync(join(broker.dataDir, 'casemate.db'))
  other.close()
  // As the last connection goes, so does the write-ahead log: the broker has none open any more.
  again.exec('SELECT 1')
  again.close()
  assert.equal(existsSync(join(broker.dataDir, 'casemate.db-wal')), false)
})

for (const name of ['casemate.db', 'casemate.db-wal']) {
  test(`a broker whose ${name} was removed acknowledges nothing, and says so`, async t => {
    const { broker } = await openBroken(t)
    assert.equal((await put(broker)).status, 201)
    // Closed without it, SQLite would take its place for another's.
    renameSync(join(broker.dataDir, name), join(broker.dataDir, 'moved'))
    const refused = await put(broker)
    const { status, body } = await ready(broker)
    renameSync(join(broker.dataDir, 'moved'), join(broker.dataDir, name))
    assert.deepEqual([refused.status, refused.body.error?.code], [503, 'unavailable'])
    assert.deepEqual([status, body.reason], [503, 'directory-lost'])
    assert.ok(body.error.message.includes(`${name} was removed or replaced`), body.error.message)
    broker.clock = later(broker.clock, 2 * SECOND)
    assert.equal((await ready(broker)).status, 200)
  })
}

const rotate = (broker: TestBroker) => broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } })

test('a broker whose key file was removed stores nothing new, says so, and can write it anew', async t => {
  const broker = await openTestBroker()
  const path = join(broker.dataDir, 'kek.json')
  assert.equal((await put(broker)).status, 201)
  rmSync(path)
  const refused = await put(broker)
  assert.deepEqual([refused.status, refused.body.error?.code], [503, 'unavailable'])
  const { status, body } = await ready(broker)
  assert.deepEqual([status, body.reason], [503, 'key-file-lost'])
  assert.match(
    `${body.error.message} ${body.error.hint}`,
    /kek\.json was removed.*do not stop.*key rotate kek/,
  )
  await broker.housekeeping.run()
  assert.ok(broker.log.some(line => /"reason":"the key file .* was removed/.test(line)))
  assert.equal((await rotate(broker)).status, 200)
  assert.equal((await ready(broker)).status, 200)
  assert.equal((await put(broker)).status, 200)
  const again = await broker.reopen()
  t.after(() => again.close())
  const secret = { repository: 'default', type: 'key', tag: 'one' }
  for (const version of [1, 2]) {
    assert.equal(await again.context.secrets.withPlaintext(secret, version, ({ length }) => length), 1)
  }
})

test('a key file that another one takes the place of is neither used nor written over, and is told', async t => {
  const { broker } = await openBroken(t)
  const path = join(broker.dataDir, 'kek.json')
  copyFileSync(path, `${path}.former`)
  assert.equal((await rotate(broker)).status, 200)
  copyFileSync(path, `${path}.kept`)
  for (const replace of [
    () => copyFileSync(`${path}.former`, path),
    () => writeFileSync(path, '{}'),
    () => {
      rmSync(path)
      mkdirSync(path)
    },
  ]) {
    replace()
    assert.equal((await ready(broker)).body.reason, 'key-file-lost')
    assert.equal((await put(broker)).status, 503)
    assert.equal((await rotate(broker)).status, 503)
    const retire = { payload: { key: 'kek', version: 1 } }
    assert.equal((await broker.send('POST', '/v1/keys/retire', retire)).status, 503)
  }
  const deeds = [...(await broker.entries('kek.rotated')), ...(await broker.entries('kek.retired'))]
  assert.equal(deeds.length, 1)
  // The same content is the same key, whatever put it there, as with mounted secrets.
  rmSync(path, { recursive: true })
  renameSync(`${path}.kept`, path)
  utimesSync(path, 0, 0)
  assert.equal((await ready(broker)).status, 200)
  assert.equal((await put(broker)).status, 201)
})

test('what cannot be closed is told, and keeps nothing else open', async t => {
  const broker = await openTestBroker()
  t.after(() => rmSync(broker.dataDir, { recursive: true }))
  const mark = join(broker.dataDir, 'ledger-mark')
  rmSync(mark)
  mkdirSync(mark)
  await assert.rejects(broker.close('keep-data'), { code: 'ledger-unavailable' })
  assert.equal(existsSync(join(broker.dataDir, 'casemate.db-wal')), false)
  lockDataDirectory(broker.dataDir).release()
})

test('a broker whose database is held by somebody else is not ready', async t => {
  const { broker, other } = await openBroken(t)
  other.exec('BEGIN IMMEDIATE')
  const { status, body } = await ready(broker)
  assert.deepEqual([status, body.reason], [503, 'write-refused'])
  assert.match(body.error.hint, /another process/)
  other.exec('ROLLBACK')
})

/** As another version stored it. */
function putUnread({ context }: TestBroker, kind: 'policy' | 'reference', name: string): Promise<unknown> {
  const at = START
  const stored = { kind, name, document: { needle: 1 }, at }
  const head = { type: `${kind}.put`, at, actor: { system: 'test' } } as const
  return context.store.documents.put(stored, 'any', entry(head, {}))
}

test('a broker that can judge no evidence is not ready, says which document it is in its log alone, and is ready again', async t => {
  const { broker } = await openBroken(t)
  const told = () => broker.log.filter(line => line.includes('no evidence can be judged'))
  const damages = [
    ['policy', 'default', 'policies'],
    ['reference', 'fleet', 'references'],
  ] as const
  for (const [index, [kind, name, plural]] of damages.entries()) {
    await putUnread(broker, kind, name)
    for (const _twice of [1, 2]) {
      const { status, body, text } = await ready(broker)
      assert.deepEqual([status, body.reason], [503, 'judgement-unable'])
      assert.match(body.error.hint, /policy set/)
      assert.doesNotMatch(text, /needle|fleet/)
    }
    assert.equal(told().length, index + 1)
    assert.match(told()[index] ?? '', new RegExp(`the stored ${kind} ${name} cannot be used.*needle`))
    assert.equal((await broker.send('DELETE', `/v1/${plural}/${name}`)).status, 200)
    assert.equal((await ready(broker)).status, 200)
  }
})

test('a broker that can judge no evidence says so as it starts', async t => {
  const broker = await openTestBroker()
  await putUnread(broker, 'policy', 'default')
  const again = await broker.reopen()
  t.after(() => again.close())
  assert.ok(again.log.some(line => line.includes('no evidence can be judged')))
})

test('health routes answer HEAD as GET, without a body', async t => {
  const { broker } = await openBroken(t)
  for (const url of ['/healthz', '/readyz']) {
    const answer = await broker.send('HEAD', url, { token: null })
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '')
  }
})

test('after a refusal readiness wants room for a whole decision, and before it for little', async () => {
  const wanted: number[] = []
  const ledger = { isRefusing: false, hasFailed: false, probe: () => Promise.resolve() }
  let at = 0
  const readiness = new Readiness({
    assertHeld: () => undefined,
    assertKept: () => undefined,
    read: () => Promise.resolve(),
    write: bytes => {
      wanted.push(bytes)
      return []
    },
    ledger,
    elapsedMs: () => (at += 2_000),
  })
  assert.equal(await readiness.check(), null)
  ledger.isRefusing = true
  assert.equal(await readiness.check(), null)
  assert.deepEqual(wanted, [512, 262_144])
})

test('while a write is under way whoever asks waits for that one', async () => {
  const taken = Promise.withResolvers<void>()
  let probes = 0
  const probe = () => {
    probes++
    return taken.promise
  }
  let at = 0
  const readiness = new Readiness({
    assertHeld: () => undefined,
    assertKept: () => undefined,
    read: () => Promise.resolve(),
    write: () => [],
    ledger: { isRefusing: true, hasFailed: false, probe },
    elapsedMs: () => (at += 2_000),
  })
  const asked = [readiness.check(), readiness.check()]
  await setImmediate()
  taken.resolve()
  assert.deepEqual(await Promise.all(asked), [null, null])
  assert.equal(probes, 1)
})
