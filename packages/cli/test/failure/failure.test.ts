import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { AGENT_ERRORS, AgentError, type AgentErrorCode } from '@casemate/agent'
import { BrokerRefusal, Unavailable } from '@casemate/client'
import { EnclaveError } from '@casemate/enclave'
import { LEDGER_ERRORS, LedgerError, type LedgerErrorCode } from '@casemate/ledger'
import { failureOf } from '../../src/failure/failure-of.ts'
import { casemate } from '../run.ts'

const OTHERWISE: Partial<Record<LedgerErrorCode, number>> = {
  'key-malformed': 2,
  'ledger-busy': 3,
  'ledger-unavailable': 3,
  'ledger-failed': 3,
  'ledger-closed': 3,
}

test('a ledger that cannot be asked is unavailable, a wrong key is usage, and anything else is refused', () => {
  for (const code of Object.keys(LEDGER_ERRORS) as LedgerErrorCode[]) {
    assert.equal(failureOf(new LedgerError(code, 'x')).exitCode, OTHERWISE[code] ?? 1, code)
  }
})

const OF_AGENTS: Partial<Record<AgentErrorCode, number>> = {
  'secret-not-text': 1,
  'guard-lost': 3,
  'gate-lost': 3,
  'command-not-executable': 126,
  'command-missing': 127,
}

test('a command that cannot be run ends as in a shell, and what the machine lacks for it is usage', () => {
  for (const code of Object.keys(AGENT_ERRORS) as AgentErrorCode[]) {
    const { exitCode, hint } = failureOf(new AgentError(code, 'x', { hint: 'y' }))
    assert.deepEqual([exitCode, hint], [OF_AGENTS[code] ?? 2, 'y'], code)
  }
})

test('code that could not be tried is no refusal of it', () => {
  assert.equal(failureOf(new EnclaveError('invalid-code', 'x')).exitCode, 1)
  assert.equal(failureOf(new EnclaveError('trial-unavailable', 'x')).exitCode, 3)
})

test('an error that only looks like one of a package is a fault of our own', () => {
  const nameless = Object.assign(new Error('x'), { name: 'LedgerError' })
  const stranger = Object.assign(new Error('x'), { name: 'constructor', code: 'key-malformed' })
  for (const error of [nameless, stranger]) assert.equal(failureOf(error).exitCode, 70)
})

test('a broker’s code decides nothing but what is printed, whatever it is called', () => {
  for (const code of ['key-malformed', 'ledger-busy', 'constructor', 'toString', '__proto__']) {
    const { exitCode, code: printed, hint } = failureOf(new BrokerRefusal(code, 'x'))
    assert.deepEqual({ exitCode, printed, hint }, { exitCode: 1, printed: code, hint: undefined })
  }
})

test('whatever is on record under an id leads there, where nothing better is known', () => {
  const id = '01a2cc4f-4bcd-79e1-9bc1-8d11d55d4f6c'
  const message = `endorsements cannot be had; try again (attestation ${id}) (endorsements-unavailable)`
  const { hint } = failureOf(new Unavailable('server-error', message))
  assert.equal(hint, `an auditor reads why: casemate attestation show ${id}`)
  assert.equal(failureOf(new Unavailable('server-error', message, { hint: 'make room' })).hint, 'make room')
  assert.match(
    failureOf(new BrokerRefusal('release-denied', `no (attestation ${id})`)).hint ?? '',
    /log show/,
  )
})

test('a proxy that takes no body as large is named, as its answer is none of a broker', async t => {
  const proxy = createServer((_request, answer) => answer.writeHead(413).end('<html>too large</html>'))
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  t.after(() => proxy.close())
  const { port } = proxy.address() as AddressInfo
  const env = { CASEMATE_TOKEN: 'cmt_t', CASEMATE_SERVER: `http://127.0.0.1:${port}` }
  const { code, stderr } = await casemate(['secret', 'put', 'a/b/c'], { env, input: 'x' })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^casemate: http-413: [^\n]+\nhint: [^\n]*a proxy[^\n]*client_max_body_size[^\n]*bodyLimit/,
  )
})

test('what is no checkpoint is not printed as one, to be kept', async t => {
  const other = createServer((_request, answer) => answer.end('<html>hello</html>'))
  await once(other.listen(0, '127.0.0.1'), 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const ran = await casemate(['log', 'checkpoint', '--server', `http://127.0.0.1:${port}`])
  assert.deepEqual([ran.code, ran.stdout], [1, ''])
  assert.match(ran.stderr, /^casemate: [a-z]+-malformed: /)
})

test('a full disk or a file that is out of reach is no fault of our own', () => {
  const error = (detail: object): Error => Object.assign(new Error('write'), detail)
  for (const [detail, code, exitCode] of [
    [{ code: 'ENOSPC' }, 'disk-full', 3],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'disk-full', 3],
    [{ code: 'EROFS' }, 'file-not-accessible', 2],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 8 + (1 << 8) }, 'file-not-accessible', 2],
    [{ code: 'EIO' }, 'disk-failed', 3],
    [{ code: 'ERR_MODULE_NOT_FOUND' }, 'installation-incomplete', 3],
    [{ code: 'MODULE_NOT_FOUND' }, 'installation-incomplete', 3],
    [{ code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }, 'installation-incomplete', 3],
    [{ code: 'EBADF' }, 'internal-error', 70],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 1 }, 'internal-error', 70],
  ] as const) {
    const failure = failureOf(error(detail))
    assert.deepEqual([failure.code, failure.exitCode], [code, exitCode])
    assert.equal(failure.trace === undefined, exitCode !== 70)
  }
})

test('what a schema wants and what a policy wants are both said as sentences', () => {
  const violations = [
    { path: 'params/name', got: '"规则"', expected: 'must match pattern "^[a-z]$"' },
    { path: 'tcbStatus', got: 'Revoked', expected: 'UpToDate' },
  ]
  const { problems } = failureOf(Object.assign(new BrokerRefusal('request-malformed', 'x'), { violations }))
  assert.deepEqual(problems, [
    'params/name: "规则" must match pattern "^[a-z]$"',
    'tcbStatus: got Revoked, want UpToDate',
  ])
})

test('what is not known is a fault of our own, with the place', () => {
  const failure = failureOf(new TypeError('one\ntwo'))
  assert.equal(failure.exitCode, 70)
  assert.equal(failure.message, 'TypeError: one\ntwo')
  assert.match(failure.trace?.[0] ?? '', /^at .*failure\.test\.ts/)
  assert.equal(failureOf('thrown').message, 'thrown')
})
