// Ready means able: what cannot be done is said, and is over when it is over.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { HOUR, later, openTestBroker, SECOND, type TestBroker } from '../broker.ts'

async function openBroken(t: TestContext): Promise<{ broker: TestBroker; other: DatabaseSync }> {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const other = new DatabaseSync(join(broker.dataDir, 'casemate.db'))
  t.after(() => other.close())
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
  assert.equal((await broker.failed).code, 'ledger-damaged')
  await broker.send('GET', '/v1/tokens', { token: 'cmt_wrong' })
  await broker.close('keep-data')
})

test('health routes answer HEAD as GET, without a body', async t => {
  const { broker } = await openBroken(t)
  for (const url of ['/healthz', '/readyz']) {
    const answer = await broker.send('HEAD', url, { token: null })
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '')
  }
})
