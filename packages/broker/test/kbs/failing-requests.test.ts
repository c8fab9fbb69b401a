// A request that the broker could not answer is one line at error, wherever it failed.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import { openTdxGuests } from './tdx-guests.ts'

const { broker, newGuest, close } = await openTdxGuests()
after(close)

test('a failing request is told once at error, on the wire of guests and of administrators', async t => {
  const { store, tokenKeys, metrics } = broker.context
  const noLedger = () => Promise.reject(new LedgerError('ledger-failed', 'the ledger has failed'))
  const fault = () => Promise.reject(new Error('of the inside'))
  const good = newGuest()
  await good.handshake()
  const authorization = `Bearer ${await broker.admin('admin')}`
  const asking = (url: string) => broker.app.inject({ method: 'GET', url, headers: { authorization } })
  const attesting = () => newGuest().handshake()
  const fetching = () => good.fetch('default/key/disk')
  const failures: readonly (readonly [string, () => unknown, () => Promise<unknown>])[] = [
    ['no token is signed', () => t.mock.method(tokenKeys, 'signToken', fault), attesting],
    ['nor anything recorded', () => t.mock.method(store.attestations, 'insert', noLedger), attesting],
    ['no release is recorded', () => t.mock.method(store.releases, 'record', noLedger), fetching],
    ['no secret is found', () => t.mock.method(store.secrets, 'find', fault), fetching],
    ['no rule is listed', () => t.mock.method(store.documents, 'list', fault), () => asking('/v1/rules')],
    [
      'nor by the guests’ protocol',
      () => t.mock.method(store.documents, 'all', fault),
      () => asking('/kbs/v0/resource-policy'),
    ],
    [
      'no challenge is given',
      () =>
        t.mock.method(metrics.authSuccesses, 'inc', () => {
          throw new Error('of the inside')
        }),
      () => newGuest().auth(),
    ],
  ]
  for (const [what, breakIt, ask] of failures) {
    breakIt()
    const from = broker.log.length
    await ask()
    const lines = broker.log.slice(from).map(line => JSON.parse(line))
    assert.deepEqual(
      lines.filter(({ level }) => level >= 50).map(({ msg }) => msg),
      ['request failed'],
      what,
    )
  }
})
