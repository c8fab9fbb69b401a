// The fetcher against a local service that serves captured collateral: evidence of real hardware gets the verdict
// that it gets when the same collateral is read from files.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { VENDOR_ANCHORS } from '../../src/anchors.ts'
import type { Endorsements } from '../../src/endorsements.ts'
import type { ParsedEvidence } from '../../src/kinds.ts'
import { openEndorsementFetcher } from '../../src/node/index.ts'
import { parse } from '../../src/parse.ts'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { Refusal } from '../../src/refusal.ts'
import { verify } from '../../src/verify.ts'
import { readSnpVectors } from '../amd/vectors.ts'
import { skipWithout, VECTORS } from '../vectors.ts'
import { type Answers, startService } from './fetch-server.ts'

const skip = skipWithout('tdx')

interface Meta {
  readonly suggested_time?: string
  readonly suggested_collateral?: { readonly tcbinfo: string; readonly qe_identity: string }
  readonly suggested_crls?: readonly string[]
  readonly pck?: { readonly issuer: string }
}

const read = (path: string): Buffer => readFileSync(resolve(VECTORS, path))

async function verdict(evidence: ParsedEvidence, endorsements: Endorsements, now: Date): Promise<string> {
  try {
    const options = { now, anchors: VENDOR_ANCHORS, minTcbEvaluationDataNumber: 'any' } as const
    const { claims, validUntil } = await verify(evidence, endorsements, options)
    return `${claims.tcbStatus} ${claims.measurement} ${validUntil.toISOString()}`
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error.code
  }
}

async function fetchFor(evidence: ParsedEvidence, answers: Answers, now: Date): Promise<Endorsements> {
  const service = await startService(answers)
  const cacheDir = mkdtempSync(join(tmpdir(), 'casemate-fetch-'))
  try {
    const options = { cacheDir, pcsUrl: service.url, kdsUrl: service.url, now: () => now }
    return await openEndorsementFetcher(options).fetchFor(evidence, null)
  } finally {
    rmSync(cacheDir, { recursive: true, force: true })
    await service.close()
  }
}

test('quotes get the same verdict by a local PCCS and from files', { skip }, async () => {
  const signing = readdirSync(resolve(VECTORS, 'roots/intel'))
    .filter(name => name.endsWith('.pem'))
    .map(name => read(`roots/intel/${name}`).toString())
    .join('\n')
  const header = encodeURIComponent(signing)
  let accepted = 0
  for (const tee of ['sgx', 'tdx'] as const) {
    for (const name of readdirSync(resolve(VECTORS, tee))) {
      const meta = JSON.parse(read(`${tee}/${name}/meta.json`).toString()) as Meta
      const { suggested_time: time, suggested_collateral: collateral, suggested_crls: crls = [], pck } = meta
      if (
        time === undefined ||
        collateral === undefined ||
        !existsSync(resolve(VECTORS, tee, name, 'quote.bin'))
      ) {
        continue
      }
      const ca = pck?.issuer.includes('Platform') ? 'platform' : 'processor'
      const [root, issuing] = ['root-', `${ca}-`].map(prefix => crls.find(it => it.includes(`/${prefix}`)))
      if (root === undefined || issuing === undefined) continue
      const now = new Date(time)
      const evidence = parse(read(`${tee}/${name}/quote.bin`))
      const answers: Answers = {
        [`/${tee}/certification/v4/tcb`]: {
          headers: { 'TCB-Info-Issuer-Chain': header },
          body: read(collateral.tcbinfo),
        },
        [`/${tee}/certification/v4/qe/identity`]: {
          headers: { 'SGX-Enclave-Identity-Issuer-Chain': header },
          body: read(collateral.qe_identity),
        },
        '/sgx/certification/v4/pckcrl': {
          headers: { 'SGX-PCK-CRL-Issuer-Chain': header },
          body: read(issuing),
        },
        '/sgx/certification/v4/rootcacrl': { body: read(root).toString('hex') },
      }
      const files = [collateral.tcbinfo, collateral.qe_identity, issuing, root]
      const fromFiles = readEndorsements([
        ...files.map(file => ({ name: file, bytes: read(file) })),
        { name: 'roots', bytes: Buffer.from(signing) },
      ])
      const wanted = await verdict(evidence, fromFiles, now)
      assert.equal(await verdict(evidence, await fetchFor(evidence, answers, now), now), wanted, name)
      if (wanted.includes(' ')) accepted++
    }
  }
  assert.ok(accepted >= 9, `${accepted} accepted`)
})

test('reports get their VCEK and their chain from a local KDS', { skip }, async () => {
  let accepted = 0
  for (const vector of readSnpVectors()) {
    const [report, vcek] = [vector.files.get('report.bin'), vector.files.get('vcek.der')]
    const { product, suggestedTime: now } = vector
    if (report === undefined || vcek === undefined || product === null || now === null) continue
    const evidence = parse(report)
    assert.ok(evidence.kind === 'snp')
    const chipId = Buffer.from(evidence.report.chipId).toString('hex')
    const hwId = product === 'Turin' ? chipId.slice(0, 16) : chipId
    const chain = ['ask', 'ark'].map(name =>
      read(`roots/amd/${name}-${product.toLowerCase()}.pem`).toString(),
    )
    const answers: Answers = {
      [`/vcek/v1/${product}/${hwId}`]: { body: vcek },
      [`/vcek/v1/${product}/cert_chain`]: { body: chain.join('') },
    }
    const fetched = await fetchFor(evidence, answers, now)
    const fromFiles = readEndorsements([{ name: 'vcek', bytes: vcek }])
    assert.equal(await verdict(evidence, fetched, now), await verdict(evidence, fromFiles, now))
    assert.match(await verdict(evidence, fetched, now), /^null [0-9a-f]{96} /)
    accepted++
  }
  assert.equal(accepted, 17)
})
