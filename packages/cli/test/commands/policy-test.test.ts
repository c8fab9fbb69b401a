// `policy test` of evidence that is undecided: what to do about it is part of the refusal, on the screen and as JSON.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { casemate, type Ran, temporaryDirectory } from '../run.ts'

const cwd = temporaryDirectory(after)
let refusal: Readonly<Record<string, string | null>> = {}
const broker = createServer((request, answer) => {
  request.resume()
  const explanation = { verdict: 'refused', code: refusal['code'], steps: [], claims: null, result: null }
  answer.setHeader('content-type', 'application/json')
  answer.end(JSON.stringify({ ...explanation, refusal, validUntil: null }))
})
before(async () => {
  writeFileSync(join(cwd, 'quote.bin'), 'quote')
  await once(broker.listen(0, '127.0.0.1'), 'listening')
})
after(() => broker.close())

function policyTest(code: string, hint: string | null, ...flags: readonly string[]): Promise<Ran> {
  refusal = { code, message: 'no', expected: null, got: null, hint }
  const { port } = broker.address() as AddressInfo
  const env = { CASEMATE_SERVER: `http://127.0.0.1:${port}`, CASEMATE_TOKEN: 'cmt_t' }
  return casemate(['policy', 'test', 'default', 'quote.bin', ...flags], { cwd, env })
}

async function hintAsJson(code: string, hint: string | null) {
  const { stdout } = await policyTest(code, hint, '--json')
  const { verdict, refusal } = JSON.parse(stdout)
  return [verdict, refusal.hint]
}

test('a paper that is missing is asked for below the refusal, once, and before the verdict', async () => {
  const { code, stdout } = await policyTest('crl-missing', null)
  assert.equal(code, 1)
  assert.match(
    stdout,
    /crl-missing[^]*\n {6}--endorsements PATH gives it for this question[^]*\nVerdict: undecided/,
  )
  assert.equal(stdout.match(/--endorsements/g)?.length, 1)
})

test('the hint for what is undecided is in the JSON too', async () => {
  const [verdict, hint] = await hintAsJson('endorsement-expired', null)
  assert.equal(verdict, 'undecided')
  assert.match(hint, /^the collateral does not cover this time; --endorsements PATH/)
})

test('what the broker says itself stands, and what is decided gets no hint', async () => {
  assert.deepEqual(await hintAsJson('crl-missing', 'of the broker'), ['undecided', 'of the broker'])
  assert.deepEqual(await hintAsJson('signature-invalid', null), ['refused', null])
})
