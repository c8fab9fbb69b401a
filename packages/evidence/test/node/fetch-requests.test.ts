// What the fetcher asks the vendors for: the items that each kind of evidence needs, of which edition, each once.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { parse } from '../../src/parse.ts'
import { verify } from '../../src/verify.ts'
import {
  amd,
  endorsement,
  folder,
  intel,
  NOW,
  open,
  REQUEST,
  service,
  snp,
  tdx,
  vcekPath,
  verifyAt,
} from './simulated-vendors.ts'

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

test('a PCK certificate that nobody trusted issued names no TCB info to fetch', async () => {
  const rogue = await createIntelPlatform({ now: NOW })
  await open().fetchFor(parse(rogue.tdxQuote(REQUEST)), 'attacker')
  assert.equal(service.asked.length, 3)
  assert.ok(!service.asked.some(target => target.includes('/tcb')))
})

test('an item that the vendor does not have is missing, which verification names', async () => {
  delete service.answers['/tdx/certification/v4/tcb']
  const endorsements = await open().fetchFor(tdx(), null)
  await assert.rejects(verifyAt(tdx(), endorsements), { code: 'endorsement-missing' })
})

test('sample evidence needs nothing', async () => {
  const evidence = { kind: 'sample', svn: '1', reportData: new Uint8Array(64) } as const
  assert.equal((await open().fetchFor(evidence, null)).crls.length, 0)
  assert.deepEqual(service.asked, [])
})
