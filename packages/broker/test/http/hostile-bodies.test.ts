// Bodies that are made to cost: refused from their head where that will do, counted while they are scanned, and held
// within one budget. What is asserted is what was looked at, never how long it took.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import { BrokerError } from '../../src/errors.ts'
import { BodyBudget, type HeldBody } from '../../src/http/body-budget.ts'
import { checkJson, GUEST_JSON } from '../../src/http/strict-json.ts'
import { openTestBroker, type TestBroker } from '../broker.ts'

const AUTH = '{"version":"0.4.0","tee":"sample","extra-params":""}'
const COMPLEX = { code: 'request-too-complex' }
const JSON_TYPE = { 'content-type': 'application/json' }

const names = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n}":0`).join(',')}}`

const NESTED = '['.repeat(900_000) + ']'.repeat(900_000)

const HOSTILE: Readonly<Record<string, string>> = {
  'nested arrays': NESTED,
  'nested objects': '{"a":'.repeat(300_000) + '0' + '}'.repeat(300_000),
  'many names': names(190_000),
  'many empty arrays': `[${'[],'.repeat(600_000)}0]`,
  'many empty objects': `[${'{},'.repeat(600_000)}0]`,
  'many numbers': `[${'1,'.repeat(900_000)}1]`,
  'arrays that do not end': '['.repeat(1_800_000),
  'commas alone': ','.repeat(1_800_000),
  'white space': `{${' '.repeat(1_800_000)}}`,
  'one long number': '1'.repeat(1_800_000),
  'one long name': `{"${'a'.repeat(1_800_000)}":1}`,
  'one long name of escapes': `{"${`\\"${'A'.repeat(25)}`.repeat(64_000)}":1}`,
  'escaped quotes': `"${'\\"'.repeat(900_000)}"`,
  'escaped letters in many texts': `[${'"\\u0041\\u0041",'.repeat(79_000)}1]`,
}

describe('JSON that is made to cost', () => {
  for (const [what, text] of Object.entries(HOSTILE)) {
    test(`${what} are refused before anything is built`, t => {
      const parse = t.mock.method(JSON, 'parse')
      assert.throws(() => checkJson(text, GUEST_JSON, 'it'), COMPLEX)
      assert.equal(parse.mock.callCount(), 0)
    })
  }

  test('what stands at each limit is read, and one more is not', () => {
    const { depth, structure, elements, beside, escapes } = GUEST_JSON
    const nested = (count: number) => '['.repeat(count) + ']'.repeat(count)
    checkJson(nested(depth), GUEST_JSON, 'it')
    assert.throws(() => checkJson(nested(depth + 1), GUEST_JSON, 'it'), COMPLEX)
    checkJson(names(structure - 1), GUEST_JSON, 'it')
    assert.throws(() => checkJson(names(structure), GUEST_JSON, 'it'), COMPLEX)
    checkJson(`[${'1,'.repeat(elements)}1]`, GUEST_JSON, 'it')
    assert.throws(() => checkJson(`[${'1,'.repeat(elements + 1)}1]`, GUEST_JSON, 'it'), COMPLEX)
    checkJson(`["${'[{,:'.repeat(400_000)}"${' '.repeat(beside - 2)}`, GUEST_JSON, 'it')
    assert.throws(() => checkJson(`["x"${' '.repeat(beside)}`, GUEST_JSON, 'it'), COMPLEX)
    checkJson(`["${'\\"[{,'.repeat(escapes - 1)}\\\\", "x"]`, GUEST_JSON, 'it')
    assert.throws(() => checkJson(`["${'\\"'.repeat(escapes)}", "\\n"]`, GUEST_JSON, 'it'), COMPLEX)
  })

  test('the largest certificate table, written with spaces, is read with the largest init-data', () => {
    const table = `[${'255, '.repeat(65_535)}255]`
    const initData = JSON.stringify('"key": "value",\n'.repeat(16_384).slice(0, 256 * 1024))
    checkJson(`{"init-data": {"body": ${initData}}, "data": ${table}}`, GUEST_JSON, 'it')
  })

  test('texts end where a parser ends them, whatever is escaped in them', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ':', 'a', '\n') })
    const named = fc.dictionary(text, text, { minKeys: 1, noNullPrototype: true })
    fc.assert(
      fc.property(named, text, (members, value) => {
        const json = JSON.stringify(members)
        checkJson(json, GUEST_JSON, 'it')
        const again = `${json.slice(0, -1)},${JSON.stringify(Object.keys(members)[0])}:${JSON.stringify(value)}}`
        assert.throws(() => checkJson(again, GUEST_JSON, 'it'), { code: 'request-malformed' })
      }),
    )
  })

  test('names with escapes that are none are left to the parser', () => {
    checkJson('{"\\x":1,"\\y":2,"a', GUEST_JSON, 'it')
  })
})

describe('a request that is refused from its head', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  const post = (url: string, payload: string, headers: Record<string, string> = JSON_TYPE, method = 'POST') =>
    broker.send(method, url, { token: null, headers, payload })

  test('has no body that is read: unknown paths and methods, no session, no token, a challenge over 1 KiB', async t => {
    const parse = t.mock.method(JSON, 'parse')
    const refused = async (url: string, status: number, method = 'POST') => {
      const before = parse.mock.callCount()
      const answer = await broker.app.inject({
        method: method as 'POST',
        url,
        headers: JSON_TYPE,
        payload: NESTED,
      })
      assert.equal(answer.statusCode, status, `${method} ${url} ${answer.payload}`)
      assert.equal(parse.mock.callCount(), before, url)
    }
    await refused('/nothing', 404)
    await refused('/kbs/v0/nothing', 404)
    await refused('/kbs/v0/attest', 401)
    await refused('/kbs/v0/auth', 413)
    await refused('/v1/verify', 401)
    await refused('/v1/policies/default', 401, 'PUT')
    await refused('/v1/info', 405, 'PUT')
  })

  test('says 405 with what the path has, whatever the body is, in the words of its side', async () => {
    for (const [method, url, allow] of [
      ['DELETE', '/v1/info', 'GET'],
      ['PATCH', '/v1/secrets/a/b/c', 'DELETE, GET, PUT'],
      ['PUT', '/kbs/v0/auth', 'POST'],
      ['PUT', '/kbs/v0/resource/a/b/c?x=1', 'DELETE, GET, POST'],
      ['OPTIONS', '/kbs/v0/attest', 'POST'],
    ] as const) {
      const { status, headers, body } = await post(url, '', JSON_TYPE, method)
      assert.deepEqual([status, headers['allow']], [405, allow], `${method} ${url}`)
      const code = body.error?.code ?? body.detail.split(':')[0]
      assert.equal(code, 'method-not-allowed')
      assert.equal('type' in body, url.startsWith('/kbs/'))
    }
    const { status, headers } = await post('/v1/nothing', '', JSON_TYPE, 'PATCH')
    assert.deepEqual([status, headers['allow']], [404, undefined])
  })

  test('a challenge of 1 KiB is read', async () => {
    const answer = await post('/kbs/v0/auth', AUTH.padEnd(1024))
    assert.equal(answer.status, 200)
    const { status, body } = await post('/kbs/v0/auth', AUTH.padEnd(1025))
    assert.equal(status, 413)
    assert.match(body.detail, /^request-too-large/)
  })

  test('evidence with too much in it is refused with its code', async () => {
    const { headers } = await post('/kbs/v0/auth', AUTH)
    const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
    const { status, body } = await post('/kbs/v0/attest', '['.repeat(1000), { cookie })
    assert.equal(status, 413)
    assert.match(body.detail, /^request-too-complex/)
  })
})

describe('bytes in flight', () => {
  const open = (site: string, cuts: string[] = []): HeldBody => ({
    site,
    cut: error => void cuts.push(`${site} ${error.code}`),
  })

  test('beyond the budget, the oldest body of the site that holds the most is cut, and the newcomer lives', () => {
    const budget = new BodyBudget(100, () => 0)
    const cuts: string[] = []
    const [first, second, guest] = [open('flood', cuts), open('flood', cuts), open('guest', cuts)]
    for (const body of [guest, first, second]) budget.begin(body)
    budget.add(guest, 30)
    budget.add(first, 20)
    budget.add(second, 40)
    assert.deepEqual(cuts, [])
    budget.add(guest, 20)
    assert.deepEqual([cuts, budget.total], [['flood overloaded'], 90])
    // The first of the flood's is gone, so that its bytes no longer count.
    budget.add(first, 1000)
    assert.equal(budget.total, 90)
  })

  test('what has arrived is not cut but counted, and the newcomer is refused where nothing else arrives', () => {
    const budget = new BodyBudget(100, () => 0)
    const cuts: string[] = []
    const [working, late] = [open('one', cuts), open('two', cuts)]
    for (const body of [working, late]) budget.begin(body)
    budget.add(working, 90)
    budget.arrived(working)
    budget.add(late, 20)
    assert.deepEqual([cuts, budget.total], [['two overloaded'], 90])
    budget.release(working)
    budget.release(working)
    assert.equal(budget.total, 0)
  })

  test('bodies that take long are cut before the one of a guest, however little each of them holds', () => {
    let elapsed = 0
    const budget = new BodyBudget(100, () => elapsed)
    const cuts: string[] = []
    const slow = Array.from({ length: 9 }, (_, n) => open(`slow ${n}`, cuts))
    for (const body of slow) budget.begin(body)
    for (const body of slow) budget.add(body, 10)
    elapsed = 1000
    const guest = open('guest', cuts)
    budget.begin(guest)
    budget.add(guest, 25)
    assert.deepEqual([cuts, budget.total], [['slow 0 overloaded', 'slow 1 overloaded'], 95])
  })

  test('the cut says when to try again', () => {
    const budget = new BodyBudget(1, () => 0)
    const errors: BrokerError[] = []
    const body = { site: 'x', cut: (error: BrokerError) => void errors.push(error) }
    budget.begin(body)
    budget.add(body, 2)
    assert.deepEqual([errors[0]?.status, errors[0]?.detail.retryAfterMs], [503, 1000])
  })
})

describe('bodies that never end', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker({ flags: { 'body-limit': '9MiB', 'request-timeout': '2s' } })
    await broker.app.listen({ port: 0, host: '127.0.0.1' })
  })
  after(() => broker.close())

  /** As many bytes of a secret as it says, but one. */
  async function stall(bytes: number, answers: string[]): Promise<Socket> {
    const { port } = broker.app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    socket.on('data', data => void answers.push(data.toString()))
    socket.write(`PUT /v1/secrets/a/b/c HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${broker.admin}\r\n`)
    socket.write(`content-length: ${bytes + 1}\r\n\r\n`)
    await new Promise(resolve => socket.write(Buffer.alloc(bytes, ' '), resolve))
    return socket
  }

  test('are cut where they hold more together than the budget, oldest first, and in time', async () => {
    const sockets: Socket[] = []
    const answers: string[] = []
    for (let n = 0; n < 6; n++) {
      sockets.push(await stall(8 * 1024 * 1024, answers))
    }
    await Promise.all(
      sockets.map(
        socket => new Promise(resolve => (socket.closed ? resolve(null) : socket.on('close', resolve))),
      ),
    )
    const statuses = answers.filter(text => text.startsWith('HTTP')).map(text => text.slice(9, 12))
    assert.ok(statuses.includes('503'), String(statuses))
    assert.ok(statuses.includes('408'), String(statuses))
    assert.match(answers.find(text => text.includes(' 503 ')) ?? '', /retry-after: 1\r\n/)
    assert.match(answers.join(), /overloaded/)
    const lines = broker.log.map(line => JSON.parse(line) as Record<string, unknown>)
    const closed = lines.filter(({ msg }) => msg === 'connections are closed')
    assert.deepEqual(
      closed.map(({ client, limit }) => [client, limit]),
      [['127.0.0.1', 'bodies']],
    )
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'request failed'),
      [],
    )
  })
})

describe('the time that a body has', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
    await broker.app.listen({ port: 0, host: '127.0.0.1' })
  })
  after(() => broker.close())

  /** The answer to a body that does not come, once its timer has run for so long and not before. */
  async function cutAfter(t: TestContext, ms: number, head: string): Promise<string> {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { port } = broker.app.server.address() as AddressInfo
    const open = () => {
      const socket = connect(port, '127.0.0.1')
      t.after(() => socket.destroy())
      return socket
    }
    const socket = open()
    socket.write(`${head} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n`)
    socket.write(`Authorization: Bearer ${broker.admin}\r\n\r\n`)
    const next = async () => String((await once(socket, 'data'))[0])
    assert.match(await next(), / 100 /)
    const answer = next()
    const beat = async () => {
      const other = open()
      other.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(other, 'data')
    }
    t.mock.timers.tick(ms - 1)
    await Promise.race([answer.then(text => assert.fail(text)), beat()])
    t.mock.timers.tick(1)
    // Whoever asks twice after it is answered later.
    const later = beat()
      .then(beat)
      .then(() => 'no answer in time')
    return await Promise.race([answer, later])
  }

  test('is ten seconds for a stranger', async t => {
    assert.match(await cutAfter(t, 10_000, 'POST /kbs/v0/auth'), / 408 .*the body did not arrive in time/s)
  })

  test('is that of any request for an administrator', async t => {
    assert.match(
      await cutAfter(t, 30_000, 'PUT /v1/secrets/a/b/c'),
      / 408 .*the body did not arrive in time/s,
    )
  })
})
