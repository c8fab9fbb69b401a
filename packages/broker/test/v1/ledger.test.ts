import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openCheckpoint, parseVerifierKey, verifyReceipt } from '@casemate/ledger'
import { openTestBroker, type TestBroker } from '../broker.ts'

describe('/v1/ledger and /log', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
    await broker.send('PUT', '/v1/secrets/a/b/c', { payload: 'x' })
  })
  after(() => broker.close())

  const verifierKey = async () =>
    (await broker.send('GET', '/v1/ledger/key', { token: null })).body.key as string

  test('a put says which entry records it, and its receipt verifies by the published key', async () => {
    const put = await broker.send('PUT', '/v1/secrets/a/b/receipt', { payload: 'x' })
    const { body } = await broker.send('GET', `/v1/ledger/receipts/${put.body.ledgerIndex}`)
    assert.ok(await verifyReceipt(body, { key: await verifierKey() }))
    assert.deepEqual([body.entry.type, body.entry.secret], ['secret.put', 'a/b/receipt'])
    const forged = { ...body, entry: { ...body.entry, secret: 'a/b/other' } }
    await assert.rejects(verifyReceipt(forged, { key: await verifierKey() }), { code: 'receipt-invalid' })
  })

  test('entries are read in pages, oldest first', async () => {
    const seen: number[] = []
    let cursor: string | null = ''
    for (let page = 0; page < 4 && cursor !== null; page++) {
      const { body } = await broker.send(
        'GET',
        `/v1/ledger/entries?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...body.items.map(({ index }: { index: number }) => index))
      cursor = body.next
    }
    assert.deepEqual(
      seen,
      seen.map((_, index) => index),
    )
    assert.equal(seen.length, 8)
  })

  test('a full page with which the log ends has none after it', async () => {
    const { size } = broker.context.ledger
    const { body } = await broker.send('GET', `/v1/ledger/entries?limit=${size}`)
    assert.deepEqual([body.items.length, body.next], [size, null])
  })

  test('entries are read newest first, whatever is added meanwhile', async () => {
    const size = broker.context.ledger.size
    const seen: number[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query = `order=desc&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`
      // Each reading is an entry of its own.
      const { body } = await broker.send('GET', `/v1/ledger/entries?${query}`)
      seen.push(...body.items.map(({ index }: { index: number }) => index))
      cursor = body.next
    }
    assert.deepEqual(
      seen,
      Array.from({ length: size }, (_, n) => size - 1 - n),
    )
    const wrong = await broker.send('GET', '/v1/ledger/entries?order=random')
    assert.equal(wrong.body.error.code, 'request-malformed')
  })

  test('an erased entry is gone, the erasure is recorded, and the log still verifies', async () => {
    const put = await broker.send('PUT', '/v1/secrets/person/name/erase-me', { payload: 'x' })
    const index = put.body.ledgerIndex as number
    const neighbour = await broker.send('GET', `/v1/ledger/receipts/${index - 1}`)
    const erased = await broker.send('DELETE', `/v1/ledger/entries/${index}`)
    assert.equal(erased.status, 200, erased.text)
    const { body } = await broker.send('GET', `/v1/ledger/entries/${index}`)
    assert.deepEqual([body.entry, body.erasedBy], [null, erased.body.ledgerIndex])
    const [record] = await broker.entries('ledger.erased')
    assert.deepEqual(
      [record?.['erasedIndex'], (record?.['actor'] as { role?: string } | undefined)?.role],
      [index, 'admin'],
    )
    assert.equal((await broker.send('GET', `/v1/ledger/receipts/${index}`)).body.error.code, 'entry-erased')
    assert.equal((await broker.send('DELETE', `/v1/ledger/entries/${index}`)).body.error.code, 'entry-erased')
    assert.equal((await broker.send('DELETE', '/v1/ledger/entries/999999')).body.error.code, 'entry-missing')
    await verifyReceipt(neighbour.body, { key: await verifierKey() })
    await broker.context.ledger.check()
  })

  test('the checkpoint is a signed note of this log that everyone may read', async () => {
    const answer = await broker.send('GET', '/log/checkpoint', { token: null })
    assert.match(String(answer.headers['content-type']), /^text\/plain/)
    assert.equal(answer.headers['cache-control'], 'no-cache')
    const { origin } = broker.context.ledger
    const opened = await openCheckpoint(answer.text, {
      key: await parseVerifierKey(await verifierKey()),
      origin,
    })
    assert.equal(opened.size, broker.context.ledger.size)
  })

  test('tiles and bundles are served as octets that never change, and hold no name', async () => {
    const { size } = await broker.context.ledger.checkpoint()
    for (const [path, width] of [
      [`/log/tile/0/000.p/${size}`, 32],
      [`/log/tile/entries/000.p/${size}`, 43],
    ] as const) {
      const answer = await broker.send('GET', path, { token: null })
      assert.equal(answer.headers['content-type'], 'application/octet-stream')
      assert.match(String(answer.headers['cache-control']), /immutable/)
      assert.equal(answer.bytes.length, size * width)
      assert.ok(!Buffer.from(answer.bytes).includes('secret'))
    }
    for (const path of [
      '0/000',
      '0/000.p/0',
      `0/000.p/${size + 50}`,
      '9/000.p/1',
      'x',
      'entries/001.p/1',
      '00/000.p/1',
    ]) {
      const answer = await broker.send('GET', `/log/tile/${path}`, { token: null })
      assert.deepEqual([answer.status, answer.body.error.code], [404, 'tile-missing'], path)
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  })

  test('consistency is proved between two sizes of the log, and nothing beyond', async () => {
    const { body } = await broker.send('GET', '/v1/ledger/consistency?from=3&to=8')
    assert.ok(body.proof.length > 0)
    const statusOf = async (range: string) =>
      (await broker.send('GET', `/v1/ledger/consistency?${range}`)).status
    for (const beyond of ['from=8&to=3', 'from=1&to=99999']) assert.equal(await statusOf(beyond), 422, beyond)
    for (const none of ['from=1', 'from=-1&to=2', 'from=a&to=b'])
      assert.equal(await statusOf(none), 400, none)
  })

  test('a start is an entry', async () => {
    assert.equal((await broker.entries('broker.started')).length, 1)
    broker = await broker.reopen()
    assert.equal((await broker.entries('broker.started')).length, 2)
    assert.deepEqual(
      (await broker.entries()).slice(0, 4).map(({ type }) => type),
      ['key.created', 'key.created', 'key.created', 'broker.started'],
    )
  })
})
