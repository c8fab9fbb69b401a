// What the fetcher remembers is fed by unverified evidence: each kind is bounded, in memory and on disk.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, beforeEach, test } from 'node:test'
import { type AmdPlatform, createAmdPlatform } from '@casemate/simulator'
import type { ParsedEvidence } from '../../src/kinds.ts'
import { MAX_CACHED_ITEMS } from '../../src/node/fetch-cache.ts'
import { HttpSource } from '../../src/node/fetch-http.ts'
import { openEndorsementFetcher } from '../../src/node/index.ts'
import { parse } from '../../src/parse.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const VENDOR = 'https://vendor.example'
/** CHIP_ID of an attestation report (56860, table 23). */
const CHIP_ID = 0x1a0

let amd: AmdPlatform
let report: Uint8Array
let folder: string
let asked: string[]
/** Whether the vendor has the VCEK of every chip, or of none. */
let hasVceks: boolean

before(async () => {
  amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
  report = amd.snpReport({ reportData: new Uint8Array(64) })
})

beforeEach(t => {
  folder = mkdtempSync(join(tmpdir(), 'casemate-bounds-'))
  asked = []
  hasVceks = true
  if ('after' in t) t.after(() => rmSync(folder, { recursive: true, force: true }))
})

function open() {
  return openEndorsementFetcher({
    cacheDir: folder,
    kdsUrl: VENDOR,
    anchors: amd.anchors,
    now: () => NOW,
    fetch: async input => answer(new URL(input instanceof Request ? input.url : input).pathname),
  })
}

function answer(path: string): Response {
  asked.push(path)
  const name = path.endsWith('/cert_chain')
    ? 'cert-chain.pem'
    : path.endsWith('/crl')
      ? 'crl.der'
      : 'leaf.der'
  if (name === 'leaf.der' && !hasVceks) return new Response(null, { status: 404 })
  const found = [...amd.endorsements].find(it => it.name === name)
  assert.ok(found)
  return new Response(Buffer.from(found.bytes))
}

function ofChip(n: number): ParsedEvidence {
  const bytes = Uint8Array.from(report)
  new DataView(bytes.buffer).setUint32(CHIP_ID, n)
  return parse(bytes)
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

test('of what the vendor does not have, so much is remembered and no more', async () => {
  hasVceks = false
  const fetcher = open()
  for (const _ of [1, 2]) await fetcher.fetchFor(ofChip(0), null)
  assert.equal(asked.length, 1)
  for (let n = 1; n <= 4096; n++) await fetcher.fetchFor(ofChip(n), null)
  await fetcher.fetchFor(ofChip(0), null)
  assert.equal(asked.length, 4098)
  // The last ones are.
  await fetcher.fetchFor(ofChip(4096), null)
  assert.equal(asked.length, 4098)
})

test('of what the vendor has, so much is kept in memory and no more', async () => {
  const fetcher = open()
  await fetcher.fetchFor(ofChip(0), null)
  assert.equal(asked.length, 3)
  // As another process has left it: the address says which chip, and nobody has verified yet what stands there.
  const [own = ''] = readdirSync(folder).filter(name => /\/vcek\/v1\/Milan\/0{8}/.test(textOf(name)))
  const item = JSON.parse(textOf(own))
  for (let n = 1; n <= 4096; n++) {
    const address = item.address.replace(/Milan\/.{8}/, `Milan/${n.toString(16).padStart(8, '0')}`)
    writeFileSync(join(folder, `${sha256(address)}.json`), JSON.stringify({ ...item, address }))
  }
  for (let n = 1; n <= 4096; n++) await fetcher.fetchFor(ofChip(n), null)
  assert.equal(asked.length, 3)
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  await fetcher.fetchFor(ofChip(4096), null)
  assert.equal(asked.length, 3)
  await fetcher.fetchFor(ofChip(0), null)
  assert.equal(asked.length, 4)
})

function textOf(name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}

test('on disk, what was written first goes where there is too much, and what a crash left', async () => {
  mkdirSync(folder, { recursive: true })
  const names = Array.from({ length: MAX_CACHED_ITEMS + 5 }, (_, n) => `${n}.json`)
  for (const name of names) writeFileSync(join(folder, name), '')
  const old = names.slice(0, 5)
  for (const name of [...old, 'old.tmp', 'new.tmp']) {
    writeFileSync(join(folder, name), '')
    const ageMs = name === 'new.tmp' ? 0 : 7_200_000
    const at = new Date(NOW.getTime() - ageMs)
    utimesSync(join(folder, name), at, at)
  }
  const fetcher = open()
  await fetcher.fetchFor(ofChip(0), null)
  const left = new Set(readdirSync(folder))
  assert.deepEqual(
    [...old, 'old.tmp', 'new.tmp', '5.json'].filter(name => left.has(name)),
    ['new.tmp', '5.json'],
  )
  assert.equal(left.size, MAX_CACHED_ITEMS + asked.length + 1)
})

test('of addresses that failed, so many are left alone and no more', async () => {
  let requests = 0
  const source = new HttpSource({
    fetch: async () => {
      requests++
      return new Response(null, { status: 500, headers: { 'retry-after': '60' } })
    },
    now: () => NOW.getTime(),
    wait: async () => undefined,
  })
  const ask = (n: number) =>
    assert.rejects(source.get(new URL(`${VENDOR}/${n}`), 'evidence'), { code: 'endorsement-unavailable' })
  for (const _ of [1, 2]) await ask(0)
  assert.equal(requests, 1)
  for (let n = 1; n <= 1024; n++) await ask(n)
  await ask(0)
  assert.equal(requests, 1026)
  await ask(1024)
  assert.equal(requests, 1026)
})
