// Intel's and AMD's services on loopback, with what simulated platforms need, and a fetcher that asks them: each test
// of a file that imports this has them anew, with an empty folder.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach } from 'node:test'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import type { ParsedEvidence } from '../../src/kinds.ts'
import { type EndorsementFetcherOptions, openEndorsementFetcher } from '../../src/node/index.ts'
import { parse } from '../../src/parse.ts'
import { verify } from '../../src/verify.ts'
import { type Answers, startService } from './fetch-server.ts'

export const NOW = new Date('2026-11-22T12:00:00Z')
export const REQUEST = { reportData: new Uint8Array(64).fill(1) }

export const intel = await createIntelPlatform({ now: NOW })
export const amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
export const service = await startService({})
/** The fetcher’s, in milliseconds; set by tests. */
export const clock = { now: NOW.getTime() }
export let folder: string
/** How long the fetchers of this test waited; one that an earlier test left behind has another list. */
export let waits: number[]

after(async () => {
  await service.close()
})

beforeEach(t => {
  folder = mkdtempSync(join(tmpdir(), 'casemate-fetch-'))
  clock.now = NOW.getTime()
  waits = []
  service.asked.length = 0
  for (const path of Object.keys(service.answers)) delete service.answers[path]
  service.otherwise = () => null
  Object.assign(service.answers, intelAnswers(), amdAnswers())
  if ('after' in t) t.after(() => rmSync(folder, { recursive: true, force: true }))
})

export function open(options: Partial<EndorsementFetcherOptions> = {}) {
  const mine = waits
  return openEndorsementFetcher({
    cacheDir: join(folder, 'cache'),
    pcsUrl: service.url,
    kdsUrl: service.url,
    anchors: [...intel.anchors, ...amd.anchors],
    now: () => new Date(clock.now),
    // Time passes in the test’s clock only.
    wait: async milliseconds => {
      mine.push(milliseconds)
      if (mine === waits) clock.now += milliseconds
    },
    ...options,
  })
}

export function endorsement(platform: IntelPlatform | AmdPlatform, name: string): Uint8Array {
  const found = [...platform.endorsements].find(it => it.name === name)
  assert.ok(found, name)
  return found.bytes
}

function chainHeader(name: string): string {
  return encodeURIComponent(Buffer.from(endorsement(intel, name)).toString())
}

export function intelAnswers(): Answers {
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

export function vcekPath(): string {
  return `/vcek/v1/Milan/${amd.settings.hardwareId}`
}

function amdAnswers(): Answers {
  return {
    [vcekPath()]: { body: endorsement(amd, 'leaf.der') },
    '/vcek/v1/Milan/cert_chain': { body: endorsement(amd, 'cert-chain.pem') },
    '/vcek/v1/Milan/crl': { body: endorsement(amd, 'crl.der') },
  }
}

export const tdx = (): ParsedEvidence => parse(intel.tdxQuote(REQUEST))
export const snp = (): ParsedEvidence => parse(amd.snpReport(REQUEST))

export function verifyAt(evidence: ParsedEvidence, endorsements: Parameters<typeof verify>[1], at = NOW) {
  const anchors = [...intel.anchors, ...amd.anchors]
  return verify(evidence, endorsements, { now: at, anchors, minTcbEvaluationDataNumber: 'any' })
}
