// Services that are busy, broken, gone or no vendor's at all: what is tried again, and what is said.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificateFault } from '../../src/certificate-fault.ts'
import { parse } from '../../src/parse.ts'
import { unavailable } from './expect-unavailable.ts'
import { startService } from './fetch-server.ts'
import {
  amd,
  clock,
  folder,
  intelAnswers,
  NOW,
  open,
  REQUEST,
  service,
  snp,
  tdx,
  verifyAt,
  waits,
} from './simulated-vendors.ts'

test('a busy service is asked again after growing pauses, and answers in the end', async () => {
  const crl = service.answers['/vcek/v1/Milan/crl'] as { body: Uint8Array }
  service.answers['/vcek/v1/Milan/crl'] = [{ status: 503 }, { status: 429 }, crl]
  const evidence = parse(amd.snpReport({ ...REQUEST, certificateTable: true }))
  const { crls } = await open().fetchFor(evidence, null)
  assert.equal(crls.length, 1)
  assert.deepEqual(waits, [500, 1000])
})

test('a short Retry-After is sat out', async () => {
  const [chain, crl] = ['/vcek/v1/Milan/cert_chain', '/vcek/v1/Milan/crl']
  const answer = service.answers[crl] as { body: Uint8Array }
  service.answers[crl] = [{ status: 429, headers: { 'Retry-After': '3' } }, answer]
  delete service.answers[chain]
  await open().fetchFor(parse(amd.snpReport({ ...REQUEST, certificateTable: true })), null)
  assert.deepEqual(waits, [3000])
})

test('after a long Retry-After the service is left alone until it is over', async () => {
  const path = '/vcek/v1/Milan/crl'
  const answer = service.answers[path] as { body: Uint8Array }
  const date = new Date(clock.now + 120_000).toUTCString()
  for (const value of ['120', date]) {
    clock.now = NOW.getTime()
    service.answers[path] = { status: 429, headers: { 'Retry-After': value } }
    delete service.answers['/vcek/v1/Milan/cert_chain']
    const fetcher = open({ cacheDir: join(folder, value.slice(0, 3)) })
    const evidence = parse(amd.snpReport({ ...REQUEST, certificateTable: true }))
    assert.equal((await unavailable(fetcher.fetchFor(evidence, null))).retryAfterMs, 120_000)
    const asked = service.asked.length
    clock.now += 60_000
    assert.equal((await unavailable(fetcher.fetchFor(evidence, null))).retryAfterMs, 60_000)
    assert.equal(service.asked.length, asked)
    clock.now += 60_000
    service.answers[path] = answer
    assert.equal((await fetcher.fetchFor(evidence, null)).crls.length, 1)
  }
  assert.deepEqual(waits, [])
})

test('a service that keeps failing is unavailable, with the time to come back', async () => {
  service.answers['/tdx/certification/v4/tcb'] = { status: 500 }
  const error = await unavailable(open().fetchFor(tdx(), null))
  assert.ok((error.retryAfterMs ?? 0) > 0)
  assert.match(error.message, /500/)
})

test('a service that nobody runs is unavailable', async () => {
  const gone = await startService({})
  await gone.close()
  const error = await unavailable(open({ pcsUrl: gone.url }).fetchFor(tdx(), null), 'unreachable')
  assert.match(error.message, /^no service answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/)
  assert.match(error.hint ?? '', /may this machine reach it/)
})

test('a certificate that is not good is said as such, and not tried again at once', async () => {
  for (const [system, code] of [
    ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate-untrusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate-name-mismatch'],
    ['CERT_HAS_EXPIRED', 'certificate-expired'],
    ['CERT_NOT_YET_VALID', 'certificate-expired'],
  ] as const) {
    let tries = 0
    const fetch = async (): Promise<Response> => {
      tries++
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('tls'), { code: system }) })
    }
    const fetcher = open({ fetch, cacheDir: join(folder, system) })
    const error = await unavailable(fetcher.fetchFor(snp(), null), code)
    assert.ok(error.message.includes(system) && error.hint !== undefined, error.message)
    assert.equal(tries, 1)
  }
  assert.deepEqual(waits, [])
})

test('a certificate for another name is told with the names that it has, fit for a terminal', () => {
  const told = (subjectaltname: string): string | undefined => {
    const fault = { code: 'ERR_TLS_CERT_ALTNAME_INVALID', cert: { subjectaltname } }
    const thrown = new TypeError('fetch failed', { cause: Object.assign(new Error('tls'), fault) })
    return certificateFault(thrown, 'https://localhost')?.message
  }
  const begun = 'the certificate of https://localhost is for another name (ERR_TLS_CERT_ALTNAME_INVALID'
  assert.equal(told('DNS:broker.example'), `${begun}; it has DNS:broker.example)`)
  assert.equal(told('DNS:\u001b[2J\u202e'), `${begun}; it has DNS:\\u001b[2J\\u202e)`)
  assert.equal(told(''), `${begun})`)
  assert.ok((told('DNS:a'.repeat(900)) ?? '').length < 400)
})

test('a service that does not answer in time is unavailable', async () => {
  const fetch = async (): Promise<Response> => {
    throw new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  }
  const error = await unavailable(open({ fetch }).fetchFor(tdx(), null))
  assert.match(error.message, /no answer within/)
})

test('a request that is refused is not repeated', async () => {
  service.answers['/tdx/certification/v4/tcb'] = { status: 401 }
  const error = await unavailable(open().fetchFor(tdx(), null))
  assert.equal(error.retryAfterMs, null)
  assert.equal(service.asked.filter(target => target.includes('/tcb?')).length, 1)
  assert.deepEqual(waits, [])
})

test('something else than an endorsement is neither used nor kept', async () => {
  for (const body of ['<html>a proxy</html>', '', '{}', Buffer.from('3080', 'hex')]) {
    service.answers['/tdx/certification/v4/tcb'] = { body }
    await unavailable(open().fetchFor(tdx(), null))
  }
  Object.assign(service.answers, intelAnswers())
  await verifyAt(tdx(), await open().fetchFor(tdx(), null))
})

test('an endless answer is cut off', async () => {
  service.answers['/tdx/certification/v4/tcb'] = { body: ' '.repeat(5 * 1024 * 1024) }
  const error = await unavailable(open().fetchFor(tdx(), null))
  assert.match(error.message, /more than/)
})

test('a redirection is not followed', async () => {
  const elsewhere = { status: 302, headers: { Location: `${service.url}/sgx/certification/v4/tcb` } }
  service.answers['/tdx/certification/v4/tcb'] = elsewhere
  await unavailable(open().fetchFor(tdx(), null))
  assert.ok(!service.asked.includes('/sgx/certification/v4/tcb'))
})
