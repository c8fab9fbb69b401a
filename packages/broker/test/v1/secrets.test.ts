import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openTestBroker, type TestBroker } from '../broker.ts'

const PATH = '/v1/secrets/default/key/one'

describe('/v1/secrets', () => {
  let broker: TestBroker

  before(async () => {
    broker = await openTestBroker()
  })

  after(() => broker.close())

  test('a put secret is described with its version and never read back', async () => {
    const put = await broker.send('PUT', PATH, { payload: Buffer.from('first content') })
    assert.equal(put.status, 201)
    assert.deepEqual(Object.keys(put.body), ['path', 'version', 'ledgerIndex'])
    assert.equal(put.body.version, 1)
    const found = await broker.send('GET', PATH)
    assert.equal(found.status, 200)
    assert.equal(found.body.path, 'default/key/one')
    assert.equal(found.body.versions[0].sizeBytes, 13)
    assert.ok(!found.text.includes('first content'))
  })

  test('a second put makes a second version, whatever the content type says', async () => {
    const put = await broker.send('PUT', PATH, {
      payload: 'not json',
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(put.status, 200)
    assert.equal(put.body.version, 2)
    const { body } = await broker.send('GET', PATH)
    assert.deepEqual(
      body.versions.map(({ version }: { version: number }) => version),
      [2, 1],
    )
  })

  test('a put says in the ledger who, what path and which version, and not the content', async () => {
    const [entry] = await broker.entries('secret.put')
    assert.equal(entry?.['secret'], 'default/key/one')
    assert.equal(entry?.['version'], 1)
    assert.equal((entry?.['actor'] as { name?: string } | undefined)?.name, 'first')
    assert.ok(!JSON.stringify(entry).includes('first content'))
  })

  test('If-None-Match: * puts only where nothing is', async () => {
    const headers = { 'if-none-match': '*' }
    const refused = await broker.send('PUT', PATH, { payload: Buffer.from('x'), headers })
    assert.equal(refused.status, 412)
    assert.equal(refused.body.error.code, 'precondition-failed')
    const made = await broker.send('PUT', '/v1/secrets/default/key/new', {
      payload: Buffer.from('x'),
      headers,
    })
    assert.equal(made.status, 201)
  })

  test('If-Match puts only on the revision that was read', async () => {
    const { headers } = await broker.send('GET', PATH)
    const match = { 'if-match': String(headers['etag']) }
    assert.equal((await broker.send('PUT', PATH, { payload: Buffer.from('y'), headers: match })).status, 200)
    const stale = await broker.send('PUT', PATH, { payload: Buffer.from('z'), headers: match })
    assert.equal(stale.body.error.code, 'precondition-failed')
  })

  test('If-Match: * puts only where something is', async () => {
    const headers = { 'if-match': '*' }
    assert.equal((await broker.send('PUT', PATH, { payload: Buffer.from('y'), headers })).status, 200)
    const missing = await broker.send('PUT', '/v1/secrets/default/key/none', {
      payload: Buffer.from('y'),
      headers,
    })
    assert.equal(missing.body.error.code, 'precondition-failed')
  })

  test('If-Match counts where one version is deleted, too', async () => {
    const url = '/v1/secrets/default/key/matched'
    for (const text of ['1', '2']) await broker.send('PUT', url, { payload: Buffer.from(text) })
    const { headers } = await broker.send('GET', url)
    await broker.send('PUT', url, { payload: Buffer.from('3') })
    const match = { 'if-match': String(headers['etag']) }
    const stale = await broker.send('DELETE', `${url}?version=1`, { headers: match })
    assert.equal(stale.body.error.code, 'precondition-failed')
    const now = { 'if-match': String((await broker.send('GET', url)).headers['etag']) }
    assert.equal((await broker.send('DELETE', `${url}?version=1`, { headers: now })).status, 200)
  })

  test('preconditions that contradict one another are refused', async () => {
    const headers = { 'if-match': '"1"', 'if-none-match': '*' }
    const refused = await broker.send('PUT', PATH, { payload: Buffer.from('y'), headers })
    assert.equal(refused.body.error.code, 'precondition-failed')
    const weak = await broker.send('PUT', PATH, {
      payload: Buffer.from('y'),
      headers: { 'if-match': 'W/"1"' },
    })
    assert.equal(weak.body.error.code, 'precondition-failed')
  })

  test('a reader that has this revision gets 304 and no body', async () => {
    const { headers } = await broker.send('GET', PATH)
    const again = await broker.send('GET', PATH, { headers: { 'if-none-match': String(headers['etag']) } })
    assert.equal(again.status, 304)
    assert.equal(again.text, '')
  })

  test('an empty body is refused', async () => {
    for (const payload of [Buffer.alloc(0), undefined]) {
      const refused = await broker.send('PUT', PATH, payload === undefined ? {} : { payload })
      assert.equal(refused.body.error.code, 'request-malformed')
    }
  })

  test('names that climb, hide or overflow are refused', async () => {
    const names = [
      '..',
      '.hidden',
      '%2e%2e%2f%2e%2e',
      'a%2fb',
      'a%00b',
      'a b',
      'ä',
      'x'.repeat(129),
      '*',
      'a%0ab',
    ]
    for (const name of names) {
      for (const url of [`/v1/secrets/${name}/key/one`, `/v1/secrets/default/key/${name}`]) {
        const refused = await broker.send('PUT', encodeURI(decodeURI(url)), { payload: Buffer.from('x') })
        assert.ok([400, 404].includes(refused.status), `${name}: ${refused.status}`)
      }
    }
    assert.equal(
      (await broker.send('PUT', `/v1/secrets/${'x'.repeat(128)}/-/_.`, { payload: 'x' })).status,
      201,
    )
  })

  test('a body over the limit is refused before it is stored', async () => {
    const refused = await broker.send('PUT', PATH, { payload: Buffer.alloc(2 * 1024 * 1024 + 1) })
    assert.equal(refused.status, 413)
    assert.equal(refused.body.error.code, 'request-too-large')
    assert.match(refused.body.error.hint, /bodyLimit/)
  })

  test('a list has pages, and its cursor cannot be made up', async () => {
    for (const tag of ['p1', 'p2', 'p3'])
      await broker.send('PUT', `/v1/secrets/pages/key/${tag}`, { payload: 'x' })
    const all: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await broker.send('GET', `/v1/secrets?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      assert.ok(page.body.items.length <= 2)
      all.push(...page.body.items.map(({ path }: { path: string }) => path))
      cursor = page.body.next
    }
    const whole = await broker.send('GET', '/v1/secrets?limit=500')
    assert.deepEqual(
      all,
      whole.body.items.map(({ path }: { path: string }) => path),
    )
    const refusal = async (cursor: string) =>
      (await broker.send('GET', `/v1/secrets?cursor=${cursor}`)).body.error.code
    for (const madeUp of ['x', Buffer.from("a' OR 1/b/c").toString('base64url')]) {
      assert.equal(await refusal(madeUp), 'cursor-invalid', madeUp)
    }
    for (const none of ['%00', 'YS9iL2M=']) assert.equal(await refusal(none), 'request-malformed', none)
  })

  test('a page size that is no number in range is refused', async () => {
    for (const limit of ['0', '501', 'x', '1.5', '-1', '1e2e', '']) {
      assert.equal(
        (await broker.send('GET', `/v1/secrets?limit=${limit}`)).body.error.code,
        'request-malformed',
        limit,
      )
    }
    assert.equal((await broker.send('GET', '/v1/secrets?limt=1')).body.error.code, 'request-malformed')
  })

  test('deleting one version leaves the newest of the others', async () => {
    const url = '/v1/secrets/default/key/versions'
    for (const payload of ['1', '2', '3']) await broker.send('PUT', url, { payload })
    assert.equal((await broker.send('DELETE', `${url}?version=3`)).status, 200)
    assert.equal((await broker.send('GET', url)).body.version, 2)
    assert.equal((await broker.send('DELETE', `${url}?version=3`)).body.error.code, 'secret-missing')
    await broker.send('DELETE', `${url}?version=1`)
    await broker.send('DELETE', `${url}?version=2`)
    assert.equal((await broker.send('GET', url)).body.error.code, 'secret-missing')
  })

  test('a version number is not used again after the secret was deleted', async () => {
    const url = '/v1/secrets/default/key/again'
    await broker.send('PUT', url, { payload: 'x' })
    assert.equal((await broker.send('DELETE', url)).status, 200)
    assert.equal((await broker.send('GET', url)).status, 404)
    const again = await broker.send('PUT', url, { payload: 'x', headers: { 'if-none-match': '*' } })
    assert.equal(again.status, 201)
    assert.equal(again.body.version, 2)
  })

  test('deleting what is not there, or has changed, is refused', async () => {
    assert.equal((await broker.send('DELETE', '/v1/secrets/a/b/none')).body.error.code, 'secret-missing')
    const stale = await broker.send('DELETE', PATH, { headers: { 'if-match': '"999999"' } })
    assert.equal(stale.body.error.code, 'precondition-failed')
  })

  test('a refused change leaves no entry of the change', async () => {
    const before = (await broker.entries('secret.deleted')).length
    await broker.send('DELETE', '/v1/secrets/a/b/none')
    assert.equal((await broker.entries('secret.deleted')).length, before)
  })

  test('sixteen puts at once make sixteen versions', async () => {
    const url = '/v1/secrets/default/key/race'
    const puts = await Promise.all(
      Array.from({ length: 16 }, (_, n) => broker.send('PUT', url, { payload: `${n}` })),
    )
    assert.deepEqual(
      puts.map(({ body }) => body.version).toSorted((a, b) => a - b),
      Array.from({ length: 16 }, (_, n) => n + 1),
    )
  })

  test('no file of the data directory holds a secret in the clear', async () => {
    const content = 'needle in the haystack, 32 bytes'
    await broker.send('PUT', '/v1/secrets/default/key/needle', { payload: Buffer.from(content) })
    for (const file of readdirSync(broker.dataDir)) {
      assert.ok(!readFileSync(join(broker.dataDir, file)).includes(content), file)
    }
  })
})
