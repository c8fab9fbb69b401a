// What an agent holds of what it has fetched, with a broker that does only the wire.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startFakeBroker } from '../../../client/test/fake-broker.ts'
import { openAgent } from '../../src/standing/agent.ts'
import { SYSTEM_CLOCK } from '../../src/standing/clock.ts'
import { Holding } from '../../src/standing/holding.ts'

const broker = await startFakeBroker()
after(() => broker.close())

const open = (...secrets: readonly string[]) =>
  openAgent({
    attester: {
      tee: 'sample',
      evidence: async reportData => ({ svn: '1', report_data: Buffer.from(reportData).toString('base64') }),
    },
    url: broker.url,
    issuer: 'casemate',
    fetch,
    clock: SYSTEM_CLOCK,
    secrets,
  })

test('secrets that were fetched before one that is refused are overwritten', async t => {
  const drop = t.mock.method(Holding.prototype, 'drop')
  await assert.rejects(open('default/db/password', 'default/db/missing'), { code: 'resource-missing' })
  assert.equal(drop.mock.callCount(), 1)
})

test('of what is fetched at the start one copy is kept, and no other is left', async t => {
  const get = t.mock.method(Holding.prototype, 'getSecret')
  const agent = await open('default/db/password')
  const copies = await Promise.all(get.mock.calls.map(({ result }) => result ?? assert.fail()))
  assert.deepEqual(
    copies.map(copy => new Set(copy)),
    [new Set([0])],
  )
  assert.ok((await agent.getSecret('default/db/password')).some(octet => octet !== 0))
  agent.close()
})
