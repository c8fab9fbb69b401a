// What the fetcher keeps on disk: for how long, for whose eyes, and what of it is believed.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Refusal } from '../../src/refusal.ts'
import { unavailable } from './expect-unavailable.ts'
import { clock, folder, open, service, snp, tdx, verifyAt } from './simulated-vendors.ts'

const DAY_MS = 86_400_000

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
  clock.now = info.nextUpdate - 1
  await open().fetchFor(tdx(), null)
  assert.ok(!service.asked.slice(4).some(target => target.includes('/tcb?')))
  const before = service.asked.length
  clock.now = info.nextUpdate
  await open().fetchFor(tdx(), null)
  assert.ok(service.asked.slice(before).some(target => target.includes('/tcb?')))
})

test('a long-lived certificate is asked for again after thirty days', async () => {
  const fetcher = open()
  await fetcher.fetchFor(snp(), null)
  clock.now += 30 * DAY_MS - 1
  await fetcher.fetchFor(snp(), null)
  assert.equal(service.asked.length, 3)
  clock.now += 1
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
  clock.now += 8 * DAY_MS
  assert.deepEqual(await asked({ tcbInfo: 8 * DAY_MS }), [])
  assert.deepEqual(await asked({ tcbInfo: 7 * DAY_MS }), ['/tdx/certification/v4/tcb'])
  clock.now += 3_600_000 - 1
  assert.deepEqual(await asked({ tcbInfo: 7 * DAY_MS }), [])
  clock.now += 1
  const two = new Set(await asked({ tcbInfo: 7 * DAY_MS, rootCrl: 7 * DAY_MS }))
  assert.deepEqual(two, new Set(['/sgx/certification/v4/rootcacrl', '/tdx/certification/v4/tcb']))
  clock.now += 3_600_000
  const both = new Set(await asked({ pckCrl: DAY_MS, qeIdentity: DAY_MS }))
  assert.deepEqual(both, new Set(['/sgx/certification/v4/pckcrl', '/tdx/certification/v4/qe/identity']))
  // Another process knows the files, and not when they were asked for.
  service.asked.length = 0
  await open().fetchFor(tdx(), null, { qeIdentity: DAY_MS })
  assert.equal(service.asked.length, 1)
  await open({ offline: true }).fetchFor(tdx(), null, { qeIdentity: DAY_MS })
  assert.equal(service.asked.length, 1)
})

test('what was asked for by a clock that was set back since is asked for anew', async () => {
  const fetcher = open()
  await fetcher.fetchFor(tdx(), null)
  clock.now += 10 * DAY_MS
  await fetcher.fetchFor(tdx(), null, { tcbInfo: 9 * DAY_MS })
  clock.now -= 2 * DAY_MS
  service.asked.length = 0
  await fetcher.fetchFor(tdx(), null, { tcbInfo: 7 * DAY_MS })
  assert.equal(service.asked.length, 1)
})

test('AMD’s list is asked for anew where it is older than wanted', async () => {
  const fetcher = open()
  await fetcher.fetchFor(snp(), null)
  clock.now += 8 * DAY_MS
  service.asked.length = 0
  await fetcher.fetchFor(snp(), null, { arkCrl: 7 * DAY_MS })
  assert.deepEqual(service.asked, ['/vcek/v1/Milan/crl'])
})

test('what is out of date already is used, and not kept', async () => {
  clock.now += 400 * DAY_MS
  const fetcher = open()
  const endorsements = await fetcher.fetchFor(tdx(), null)
  await assert.rejects(
    verifyAt(tdx(), endorsements, new Date(clock.now)),
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
  clock.now += 400 * DAY_MS
  await unavailable(open({ offline: true }).fetchFor(tdx(), null))
})

test('a cache that cannot be written is said, not passed over', async () => {
  writeFileSync(join(folder, 'file'), '')
  const error = await unavailable(open({ cacheDir: join(folder, 'file', 'cache') }).fetchFor(tdx(), null))
  assert.match(error.hint ?? '', /writable/)
})
