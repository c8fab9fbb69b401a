// Evidence that is undecided, tested or looked up: the screen and the JSON say so alike, and what to do about it is part of the
// refusal.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { casemate, type Ran, temporaryDirectory } from '../run.ts'

const ID = '019a4c1e-77b0-7d3c-9a52-6c1e4f21c09b'
const PAST = { id: ID, at: '2026-11-30T12:00:00.000Z', client: null, ledgerIndex: 1 }

const cwd = temporaryDirectory(after)
let refusal: Readonly<Record<string, string | null>> = {}
const broker = createServer((request, answer) => {
  request.resume()
  const explanation = { verdict: 'refused', code: refusal['code'], steps: [], claims: null, result: null }
  const whole = { ...explanation, refusal, validUntil: null }
  answer.setHeader('content-type', 'application/json')
  const isPast = request.url?.startsWith('/v1/attestations/') ?? false
  answer.end(JSON.stringify(isPast ? { ...PAST, explanation: whole } : whole))
})
before(async () => {
  writeFileSync(join(cwd, 'quote.bin'), 'quote')
  await once(broker.listen(0, '127.0.0.1'), 'listening')
})
after(() => broker.close())

async function verdictsOfPast(code: string): Promise<readonly string[]> {
  refusal = { code, message: 'no', expected: null, got: null, hint: null }
  const { port } = broker.address() as AddressInfo
  const env = { CASEMATE_SERVER: `http://127.0.0.1:${port}`, CASEMATE_TOKEN: 'cmt_t' }
  const show = (...flags: readonly string[]) => casemate(['attestation', 'show', ID, ...flags], { cwd, env })
  const [shown, json] = [await show(), await show('--json')]
  return [
    /Verdict: (\w+)/.exec(shown.stdout)?.[1] ?? shown.stderr,
    JSON.parse(json.stdout).explanation.verdict,
  ]
}

test('a past attestation is undecided in the JSON where it is on the screen', async () => {
  assert.deepEqual(await verdictsOfPast('crl-missing'), ['undecided', 'undecided'])
  assert.deepEqual(await verdictsOfPast('signature-invalid'), ['refused', 'refused'])
})

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
