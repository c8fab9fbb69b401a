// Attestations by the end of their ids, as lists and logs print them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { BIN } from '../bin.ts'
import { casemate } from '../run.ts'

const IDS = ['019a0000-0000-7000-8000-00004f21c09b', '019b0000-0000-7000-8000-00014f21c09b']

const broker = createServer((request, answer) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://broker')
  const items = IDS.filter(id => id.endsWith(searchParams.get('idEnd') ?? '')).map(id => ({ id }))
  const id = IDS.find(one => pathname.endsWith(one))
  const explanation = { verdict: 'refused', steps: [], claims: null, result: null, refusal: null }
  const found = id && { id, at: '2026-01-01T00:00:00Z', ledgerIndex: 0, explanation }
  answer.setHeader('content-type', 'application/json')
  answer.end(JSON.stringify(found ?? { items: pathname.endsWith('/attestations') ? items : [], next: null }))
}).listen(0, '127.0.0.1')
await once(broker, 'listening')
after(() => broker.close())
const url = `http://127.0.0.1:${(broker.address() as AddressInfo).port}`
const env = { CASEMATE_SERVER: url, CASEMATE_TOKEN: `cmt_${'a'.repeat(16)}_${'b'.repeat(43)}` }

test('the end of an id that several have is refused, however few are to be listed', async () => {
  for (const limit of [[], ['--limit', '1']]) {
    const { code, stderr } = await casemate(['log', 'show', '--attestation', '4f21c09b', ...limit], { env })
    assert.equal(code, 2, stderr)
    assert.match(stderr, /^casemate: argument-unexpected: 2 attestations have ids that end with 4f21c09b/)
    for (const id of IDS) assert.ok(stderr.includes(id), stderr)
  }
})

test('a token out of a pipe, which can be read once, is enough for what takes several requests', async () => {
  for (const line of ['attestation show 14f21c09b', 'log show --attestation 14f21c09b']) {
    const script = 'printf %s "$CASEMATE_TOKEN" | env -u CASEMATE_TOKEN "$@" --token-file /dev/stdin'
    const child = spawn('sh', ['-c', script, 'sh', process.execPath, BIN, ...line.split(' ')], {
      env: { ...process.env, ...env },
    })
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close'), text(child.stdout)])
    assert.equal(code, 0, stderr)
  }
})
