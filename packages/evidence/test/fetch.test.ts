// The fetcher against services on loopback: what it asks for, how often, and what it does when they fail.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import {
  type EndorsementFetcherOptions,
  openEndorsementFetcher,
  Unavailable,
  type UnavailableCode,
} from '../src/node/index.ts'
import { type ParsedEvidence, parse } from '../src/parse.ts'
import { Refusal } from '../src/refusal.ts'
import { verify } from '../src/verify.ts'
import { type Answer, type Answers, type FakeService, startService } from './fetch-server.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const REQUEST = { reportData: new Uint8Array(64).fill(1) }

let intel: IntelPlatform
let amd: AmdPlatform
let service: FakeService
let folder: string
let now: number
let waits: number[]

before(async () => {
  intel = await createIntelPlatform({ now: NOW })
  amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  service = await startService({})
})

after(async () => {
  await service.close()
})

beforeEach(t => {
  folder = mkdtempSync(join(tmpdir(), 'casemate-fetch-'))
  now = NOW.getTime()
  waits = []
  service.asked.length = 0
  for (const path of Object.keys(service.answers)) delete service.answers[path]
  service.otherwise = () => null
  Object.assign(service.answers, intelAnswers(), amdAnswers())
  if ('after' in t) t.after(() => rmSync(folder, { recursive: true, force: true }))
})

function open(options: Partial<EndorsementFetcherOptions> = {}) {
  const mine = waits
  return openEndorsementFetcher({
    cacheDir: join(folder, 'cache'),
    pcsUrl: service.url,
    kdsUrl: service.url,
    anchors: [...intel.anchors, ...amd.anchors],
    now: () => new Date(now),
    // Time passes in the test’s clock only.
    wait: async milliseconds => {
      mine.push(milliseconds)
      if (mine === waits) now += milliseconds
    },
    ...options,
  })
}

function endorsement(platform: IntelPlatform | AmdPlatform, name: string): Uint8Array {
  const found = [...platform.endorsements].find(it => it.name === name)
  assert.ok(found, name)
  return found.bytes
}

function chainHeader(name: string): string {
  return encodeURIComponent(Buffer.from(endorsement(intel, name)).toString())
}

function intelAnswers(): Answers {
  const tcb = { 'TCB-Info-Issuer-Chain': chainHeader('tcb-signing-chain.pem') }
  const identity = { 'SGX-Enclave-Identity-Issuer-Chain': chainHeader('tcb-signing-chain.pem') }
  const crl = { 'SGX-PCK-CRL-Issuer-Chain': chainHeader('pck-crl-issuer-chain.pem') }
  return {
    '/sgx/certification/v4/tcb': { headers: tcb, body: endorsement(intel, 'sgx-tcb-info.json') },
    '/tdx/certification/v4/tcb': { headers: tcb, body: endorsement(intel, 'tdx-tcb-info.json') },
    '/sgx/certification/v4/qe/identity': { headers: identity, body: endorsement(intel, 'qe-identity.json') },
    '/tdx/certification/v4/qe/identity': {
      headers: identity,
      body: endorsement(intel, 'td-qe-identity.json'),
    },
    '/sgx/certification/v4/pckcrl': { headers: crl, body: endorsement(intel, 'pck-crl.der') },
    // A PCCS answers with hex.
    '/sgx/certification/v4/rootcacrl': {
      body: Buffer.from(endorsement(intel, 'root-ca-crl.der')).toString('hex'),
    },
  }
}

function vcekPath(): string {
  return `/vcek/v1/Milan/${amd.settings.hardwareId}`
}

function amdAnswers(): Answers {
  return {
    [vcekPath()]: { body: endorsement(amd, 'leaf.der') },
    '/vcek/v1/Milan/cert_chain': { body: endorsement(amd, 'cert-chain.pem') },
    '/vcek/v1/Milan/crl': { body: endorsement(amd, 'crl.der') },
  }
}

const tdx = (): ParsedEvidence => parse(intel.tdxQuote(REQUEST))
const snp = (): ParsedEvidence => parse(amd.snpReport(REQUEST))

function verifyAt(evidence: ParsedEvidence, endorsements: Parameters<typeof verify>[1], at = NOW) {
  const anchors = [...intel.anchors, ...amd.anchors]
  return verify(evidence, endorsements, { now: at, anchors, minTcbEvaluationDataNumber: 'any' })
}

async function unavailable(
  work: Promise<unknown>,
  code: UnavailableCode = 'endorsement-unavailable',
): Promise<Unavailable> {
  const error = await work.then(
    () => assert.fail('available'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof Unavailable, String(error))
  assert.equal(error.code, code)
  return error
}

test('what an SGX or TDX quote needs is fetched, and verifies it', async () => {
  for (const evidence of [parse(intel.sgxQuote(REQUEST)), tdx()]) {
    const { claims } = await verifyAt(evidence, await open().fetchFor(evidence, null))
    assert.equal(claims.tcbStatus, 'UpToDate')
  }
  const fmspc = intel.settings.fmspc
  assert.deepEqual(service.asked.toSorted(), [
    '/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
    '/sgx/certification/v4/qe/identity?update=standard',
    '/sgx/certification/v4/rootcacrl',
    `/sgx/certification/v4/tcb?fmspc=${fmspc}&update=standard`,
    '/tdx/certification/v4/qe/identity?update=standard',
    `/tdx/certification/v4/tcb?fmspc=${fmspc}&update=standard`,
  ])
})

test('what a SEV-SNP report needs is fetched, and verifies it', async () => {
  const evidence = snp()
  const { claims } = await verifyAt(evidence, await open().fetchFor(evidence, null))
  assert.ok(claims.kind === 'snp')
  assert.equal(claims.snp.revocation, 'checked')
  const { bootloader, tee, snp: snpSpl, microcode } = amd.settings.tcb
  // The chip id is random, and so is its place among the others.
  assert.equal(service.asked.length, 3)
  assert.deepEqual(
    new Set(service.asked),
    new Set([
      `${vcekPath()}?blSPL=${bootloader}&teeSPL=${tee}&snpSPL=${snpSpl}&ucodeSPL=${microcode}`,
      '/vcek/v1/Milan/cert_chain',
      '/vcek/v1/Milan/crl',
    ]),
  )
})

test('a VCEK that the evidence brings is not fetched', async () => {
  const evidence = parse(amd.snpReport({ ...REQUEST, certificateTable: true }))
  await verifyAt(evidence, await open().fetchFor(evidence, null))
  assert.deepEqual(service.asked.toSorted(), ['/vcek/v1/Milan/cert_chain', '/vcek/v1/Milan/crl'])
})

test('a report without CPUID is looked for under Milan, then under Genoa', async () => {
  const genoa = await createAmdPlatform({ now: NOW, modulusBits: 2048, product: 'Genoa' })
  const path = `/vcek/v1/Genoa/${genoa.settings.hardwareId}`
  service.answers[path] = { body: endorsement(genoa, 'leaf.der') }
  service.answers['/vcek/v1/Genoa/cert_chain'] = { body: endorsement(genoa, 'cert-chain.pem') }
  service.answers['/vcek/v1/Genoa/crl'] = { body: endorsement(genoa, 'crl.der') }
  const evidence = parse(genoa.snpReport({ ...REQUEST, version: 2 }))
  const endorsements = await open().fetchFor(evidence, null)
  const options = { now: NOW, anchors: genoa.anchors, minTcbEvaluationDataNumber: 'any' } as const
  await verify(evidence, endorsements, options)
  assert.deepEqual(
    service.asked.slice(0, 2).map(target => target.split('/')[3]),
    ['Milan', 'Genoa'],
  )
})

test('Turin’s VCEK is asked for by 8 bytes of chip id and with an FMC patch level', async () => {
  const turin = await createAmdPlatform({ now: NOW, modulusBits: 2048, product: 'Turin' })
  await open().fetchFor(parse(turin.snpReport(REQUEST)), null)
  assert.match(service.asked[0] ?? '', /^\/vcek\/v1\/Turin\/[0-9a-f]{16}\?.*&fmcSPL=1$/)
})

test('neither a VLEK nor the VCEK of a masked chip can be fetched, only the authorities above', async () => {
  const vlek = await createAmdPlatform({ now: NOW, modulusBits: 2048, signingKey: 'VLEK' })
  await open().fetchFor(parse(vlek.snpReport(REQUEST)), null)
  assert.deepEqual(service.asked.toSorted(), ['/vlek/v1/Milan/cert_chain', '/vlek/v1/Milan/crl'])
  service.asked.length = 0
  await open().fetchFor(parse(amd.snpReport({ ...REQUEST, chipId: new Uint8Array(64) })), null)
  assert.deepEqual(service.asked.toSorted(), ['/vcek/v1/Milan/cert_chain', '/vcek/v1/Milan/crl'])
})

test('early updates and single evaluation numbers are asked for by name', async () => {
  await open({ update: 'early' }).fetchFor(tdx(), null)
  await open({ update: 17 }).fetchFor(tdx(), null)
  assert.ok(service.asked.includes('/tdx/certification/v4/qe/identity?update=early'))
  assert.ok(service.asked.includes('/tdx/certification/v4/qe/identity?tcbEvaluationDataNumber=17'))
  const fmspc = `fmspc=${intel.settings.fmspc}`
  assert.ok(service.asked.includes(`/tdx/certification/v4/tcb?${fmspc}&update=early`))
  assert.ok(service.asked.includes(`/tdx/certification/v4/tcb?${fmspc}&tcbEvaluationDataNumber=17`))
})

test('Intel’s own service and a PCCS behind a path are asked for the same edition', async () => {
  const asked: string[] = []
  const answering = (base: string) => async (input: string | URL | Request) => {
    const url = new URL(input instanceof Request ? input.url : input)
    asked.push(url.href.replace(base, ''))
    return fetch(service.url + url.pathname.replace('/pccs', '') + url.search)
  }
  const wanted = ['/sgx/certification/v4/tcb?fmspc=', '/sgx/certification/v4/qe/identity?']
  for (const base of ['https://api.trustedservices.intel.com', 'https://pccs.example/pccs']) {
    asked.length = 0
    const cacheDir = join(folder, new URL(base).host)
    const options = { pcsUrl: base, cacheDir, update: 20, fetch: answering(base) } as const
    await open(options).fetchFor(parse(intel.sgxQuote(REQUEST)), null)
    for (const start of wanted) {
      assert.ok(asked.some(it => it.startsWith(start) && it.endsWith('tcbEvaluationDataNumber=20')))
    }
    assert.ok(!asked.some(it => it.includes('update=')))
  }
})

test('one request is in flight for each item, however many ask', async () => {
  const fetcher = open()
  await Promise.all(Array.from({ length: 10 }, () => fetcher.fetchFor(tdx(), null)))
  assert.equal(service.asked.length, 4)
  await fetcher.fetchFor(tdx(), null)
  assert.equal(service.asked.length, 4)
})

test('what was fetched is on disk, for its owner alone, until its next update', async () => {
  const fetched = await open().fetchFor(tdx(), null)
  const cache = join(folder, 'cache')
  assert.equal(statSync(cache).mode & 0o777, 0o700)
  const files = readdirSync(cache)
  assert.equal(files.length, 4)
  for (const file of files) assert.equal(statSync(join(cache, file)).mode & 0o777, 0o600)

  const again = await open().fetchFor(tdx(), null)
  assert.equal(service.asked.length, 4)
  assert.deepEqual(
    again.tcbInfos.map(it => it.signature),
    fetched.tcbInfos.map(it => it.signature),
  )
  assert.equal(again.certificates.length, fetched.certificates.length)

  const [info] = fetched.tcbInfos
  assert.ok(info)
  now = info.nextUpdate - 1
  await open().fetchFor(tdx(), null)
  assert.ok(!service.asked.slice(4).some(target => target.includes('/tcb?')))
  const before = service.asked.length
  now = info.nextUpdate
  await open().fetchFor(tdx(), null)
  assert.ok(service.asked.slice(before).some(target => target.includes('/tcb?')))
})

test('a long-lived certificate is asked for again after thirty days', async () => {
  const fetcher = open()
  await fetcher.fetchFor(snp(), null)
  now += 30 * DAY_MS - 1
  await fetcher.fetchFor(snp(), null)
  assert.equal(service.asked.length, 3)
  now += 1
  await fetcher.fetchFor(snp(), null)
  assert.equal(service.asked.length, 6)
})

test('what is older than wanted is asked for anew, alone, and once an hour where the vendor has nothing newer', async () => {
  const fetcher = open()
  const asked = async (maxAges = {}) => {
    service.asked.length = 0
    const { tcbInfos } = await fetcher.fetchFor(tdx(), null, maxAges)
    assert.equal(tcbInfos.length, 1)
    return service.asked.map(target => target.split('?')[0])
  }
  await asked()
  now += 8 * DAY_MS
  assert.deepEqual(await asked({ tcbInfo: 8 * DAY_MS }), [])
  assert.deepEqual(await asked({ tcbInfo: 7 * DAY_MS }), ['/tdx/certification/v4/tcb'])
  now += 3_600_000 - 1
  assert.deepEqual(await asked({ tcbInfo: 7 * DAY_MS }), [])
  now += 1
  const two = new Set(await asked({ tcbInfo: 7 * DAY_MS, rootCrl: 7 * DAY_MS }))
  assert.deepEqual(two, new Set(['/sgx/certification/v4/rootcacrl', '/tdx/certification/v4/tcb']))
  now += 3_600_000
  const both = new Set(await asked({ pckCrl: DAY_MS, qeIdentity: DAY_MS }))
  assert.deepEqual(both, new Set(['/sgx/certification/v4/pckcrl', '/tdx/certification/v4/qe/identity']))
  // Another process knows the files, and not when they were asked for.
  service.asked.length = 0
  await open().fetchFor(tdx(), null, { qeIdentity: DAY_MS })
  assert.equal(service.asked.length, 1)
  await open({ offline: true }).fetchFor(tdx(), null, { qeIdentity: DAY_MS })
  assert.equal(service.asked.length, 1)
})

test('AMD’s list is asked for anew where it is older than wanted', async () => {
  const fetcher = open()
  await fetcher.fetchFor(snp(), null)
  now += 8 * DAY_MS
  service.asked.length = 0
  await fetcher.fetchFor(snp(), null, { arkCrl: 7 * DAY_MS })
  assert.deepEqual(service.asked, ['/vcek/v1/Milan/crl'])
})

test('what is out of date already is used, and not kept', async () => {
  now += 400 * DAY_MS
  const fetcher = open()
  const endorsements = await fetcher.fetchFor(tdx(), null)
  await assert.rejects(
    verifyAt(tdx(), endorsements, new Date(now)),
    (error: unknown) => error instanceof Refusal && error.code.endsWith('-expired'),
  )
  await fetcher.fetchFor(tdx(), null)
  assert.equal(service.asked.length, 8)
  assert.equal(existsSync(join(folder, 'cache')), false)
})

test('a cut, changed or foreign file in the cache is fetched again', async () => {
  const cache = join(folder, 'cache')
  const damages: readonly ((text: string) => string)[] = [
    text => text.slice(0, text.length / 2),
    () => '',
    () => '[]',
    () => 'null',
    text => text.replace(/"answer":"(.{200})./, '"answer":"$1#'),
    text => text.replace('HTTP/1.1 200 OK', 'HTTP/1.1 200 Ok'),
    text => text.replace('"address":"http', '"address":"https'),
    text => text.replace(/"expiresAt":\d+/, '"expiresAt":"never"'),
  ]
  for (const damage of damages) {
    await open().fetchFor(tdx(), null)
    service.asked.length = 0
    for (const file of readdirSync(cache)) {
      const path = join(cache, file)
      const damaged = damage(readFileSync(path, 'utf8'))
      assert.notEqual(damaged, readFileSync(path, 'utf8'))
      writeFileSync(path, damaged)
    }
    const endorsements = await open().fetchFor(tdx(), null)
    assert.equal(service.asked.length, 4)
    await verifyAt(tdx(), endorsements)
  }
})

test('offline, the cache answers, and nothing else', async () => {
  const offline = await unavailable(open({ offline: true }).fetchFor(tdx(), null))
  assert.equal(offline.retryAfterMs, null)
  assert.equal(service.asked.length, 0)
  await open().fetchFor(tdx(), null)
  await verifyAt(tdx(), await open({ offline: true }).fetchFor(tdx(), null))
  assert.equal(service.asked.length, 4)
  now += 400 * DAY_MS
  await unavailable(open({ offline: true }).fetchFor(tdx(), null))
})

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
  const date = new Date(now + 120_000).toUTCString()
  for (const value of ['120', date]) {
    now = NOW.getTime()
    service.answers[path] = { status: 429, headers: { 'Retry-After': value } }
    delete service.answers['/vcek/v1/Milan/cert_chain']
    const fetcher = open({ cacheDir: join(folder, value.slice(0, 3)) })
    const evidence = parse(amd.snpReport({ ...REQUEST, certificateTable: true }))
    assert.equal((await unavailable(fetcher.fetchFor(evidence, null))).retryAfterMs, 120_000)
    const asked = service.asked.length
    now += 60_000
    assert.equal((await unavailable(fetcher.fetchFor(evidence, null))).retryAfterMs, 60_000)
    assert.equal(service.asked.length, asked)
    now += 60_000
    service.answers[path] = answer
    assert.equal((await fetcher.fetchFor(evidence, null)).crls.length, 1)
  }
  assert.deepEqual(waits, [])
})

const unknownChip = (): ParsedEvidence => parse(amd.snpReport({ ...REQUEST, chipId: randomBytes(64) }))
const withCertificates = (): ParsedEvidence => parse(amd.snpReport({ ...REQUEST, certificateTable: true }))

/** Whatever chip is asked for, but the platform’s own, gets this. */
function answerUnknownChips(answer: Answer): void {
  service.otherwise = path => (path.startsWith('/vcek/v1/Milan/') ? answer : null)
}

test('a rate limit that made-up chip ids bring about keeps nobody from the revocation list, nor long from a VCEK', async () => {
  answerUnknownChips({ status: 429, headers: { 'Retry-After': '3000' } })
  const fetcher = open()
  const refused = await unavailable(fetcher.fetchFor(unknownChip(), 'attacker'))
  assert.equal(refused.retryAfterMs, 60_000)
  assert.equal((await fetcher.fetchFor(withCertificates(), 'guest')).crls.length, 1)
  assert.equal((await unavailable(fetcher.fetchFor(snp(), 'guest'))).retryAfterMs, 60_000)
  now += 60_000
  await verifyAt(snp(), await fetcher.fetchFor(snp(), 'guest'))
  assert.deepEqual(waits, [])
})

test('a rate limit on what everybody needs is believed for an hour', async () => {
  service.answers['/vcek/v1/Milan/crl'] = { status: 429, headers: { 'Retry-After': '86400' } }
  assert.equal((await unavailable(open().fetchFor(withCertificates(), null))).retryAfterMs, 3_600_000)
})

test('a chip id that the service fails at is left alone, and no other', async () => {
  answerUnknownChips({ status: 500, headers: { 'Retry-After': '30' } })
  const [fetcher, bad] = [open(), unknownChip()]
  assert.equal((await unavailable(fetcher.fetchFor(bad, 'attacker'))).retryAfterMs, 30_000)
  await verifyAt(snp(), await fetcher.fetchFor(snp(), 'guest'))
  const asked = service.asked.length
  await unavailable(fetcher.fetchFor(bad, 'attacker'))
  assert.equal(service.asked.length, asked)
  assert.deepEqual(waits, [])
})

test('what the vendor does not have is not asked for again for ten minutes', async () => {
  const [fetcher, unknown] = [open(), unknownChip()]
  for (let n = 0; n < 3; n++) assert.equal((await fetcher.fetchFor(unknown, 'guest')).certificates.length, 0)
  assert.equal(service.asked.length, 1)
  now += 600_000
  await fetcher.fetchFor(unknown, 'guest')
  assert.equal(service.asked.length, 2)
})

test('unverified evidence has a budget of requests for each client', async () => {
  const fetcher = open()
  for (let n = 0; n < 30; n++) await fetcher.fetchFor(unknownChip(), 'attacker')
  const refused = await unavailable(fetcher.fetchFor(unknownChip(), 'attacker'))
  assert.equal(refused.retryAfterMs, 2000)
  assert.equal(service.asked.length, 30)
  await verifyAt(snp(), await fetcher.fetchFor(snp(), 'guest'))
  // What is at hand costs nothing.
  await fetcher.fetchFor(snp(), 'attacker')
  now += 2000
  await fetcher.fetchFor(unknownChip(), 'attacker')
  await unavailable(fetcher.fetchFor(unknownChip(), 'attacker'))
})

test('all clients together have a budget, and whoever runs the fetcher has none', async () => {
  const fetcher = open()
  for (let n = 0; n < 120; n++) await fetcher.fetchFor(unknownChip(), `client ${n}`)
  await unavailable(fetcher.fetchFor(unknownChip(), 'one more'))
  assert.equal((await fetcher.fetchFor(withCertificates(), 'one more')).crls.length, 1)
  await fetcher.fetchFor(unknownChip(), null)
})

test('a PCK certificate that nobody trusted issued names no TCB info to fetch', async () => {
  const rogue = await createIntelPlatform({ now: NOW })
  await open().fetchFor(parse(rogue.tdxQuote(REQUEST)), 'attacker')
  assert.equal(service.asked.length, 3)
  assert.ok(!service.asked.some(target => target.includes('/tcb')))
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

test('an item that the vendor does not have is missing, which verification names', async () => {
  delete service.answers['/tdx/certification/v4/tcb']
  const endorsements = await open().fetchFor(tdx(), null)
  await assert.rejects(verifyAt(tdx(), endorsements), { code: 'endorsement-missing' })
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

test('a cache that cannot be written is said, not passed over', async () => {
  writeFileSync(join(folder, 'file'), '')
  const error = await unavailable(open({ cacheDir: join(folder, 'file', 'cache') }).fetchFor(tdx(), null))
  assert.match(error.hint ?? '', /writable/)
})

test('sample evidence needs nothing', async () => {
  const evidence = { kind: 'sample', svn: '1', reportData: new Uint8Array(64) } as const
  assert.equal((await open().fetchFor(evidence, null)).crls.length, 0)
  assert.deepEqual(service.asked, [])
})
