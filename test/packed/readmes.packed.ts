// What each package's README shows runs as it stands, with what is right and with what is wrong.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { GREETING, installed, openParties, SECRET } from './parties.ts'
import { installProject, ROOMS, ROOT, runIn, sharedProject, temporaryDirectory } from './project.ts'
import { readmeOf, type Shown, shownBy } from './readme.ts'

const { skip } = await sharedProject()
const parties = skip === false ? await openParties() : undefined

/** A function that a README shows. */
async function lines(name: string, of: string): Promise<Shown[string]> {
  const shown = (await shownBy(`@casemate/${name}`))[of]
  assert.ok(shown, `the README of ${name} shows no ${of}`)
  return shown
}

test('each package has a README of one screen', { skip }, async () => {
  for (const { manifest } of ROOMS) {
    const readme = await readmeOf(manifest.name)
    assert.ok(readme.startsWith(`# ${manifest.name}\n`), manifest.name)
    assert.ok(readme.split('\n').length <= 50, manifest.name)
  }
})

test('simulator, evidence and appraisal: a quote, who signed it, and whether it is wanted', {
  skip,
}, async () => {
  const evidenceFor = await lines('simulator', 'evidenceFor')
  const whoSigned = await lines('evidence', 'whoSigned')
  const judge = await lines('appraisal', 'judge')
  const evidence = await installed<typeof import('@casemate/evidence')>('@casemate/evidence')
  const { workloadOf } = await installed<typeof import('@casemate/appraisal')>('@casemate/appraisal')
  const { quote, collateral, anchors } = evidenceFor(new Uint8Array(64).fill(7)) as {
    quote: Uint8Array
    collateral: { name: string; bytes: Uint8Array }[]
    anchors: typeof evidence.VENDOR_ANCHORS
  }
  assert.equal(await whoSigned(quote, collateral, anchors), 'tdx, simulated: true')
  assert.equal(await whoSigned(quote, collateral), 'chain-untrusted')
  assert.equal(await whoSigned(quote.subarray(0, 100), collateral, anchors), 'evidence-malformed')
  const demands = { now: new Date(), anchors, minTcbEvaluationDataNumber: 'any' } as const
  const bag = evidence.readEndorsements(collateral)
  const { claims } = await evidence.verify(evidence.parse(quote), bag, demands)
  const mine = workloadOf(claims, 'mine')
  assert.equal(judge(claims, [mine], { simulated: 'any' }), 'mine')
  assert.deepEqual(judge(claims, [mine]), ['simulated'])
  assert.throws(() => judge(claims, []), { code: 'reference-values-invalid' })
})

test('client, broker and ledger: a secret is released to what is known, on the record', {
  skip,
}, async () => {
  assert.ok(parties)
  const { url, attester, stranger, admin, logKey } = parties
  const secretOf = await lines('client', 'secretOf')
  assert.equal(await secretOf(url, attester, SECRET), GREETING)
  assert.equal(await secretOf(url, attester, 'default/packed/none'), 'secret-missing')
  assert.equal(await secretOf(url, stranger, SECRET), 'appraisal-refused')

  const whatWasDecided = await lines('ledger', 'whatWasDecided')
  const { items } = await admin.ledger.entries({ order: 'desc', limit: 10 })
  const { index } = items.find(({ entry }) => JSON.stringify(entry).includes(SECRET)) ?? { index: -1 }
  const receipt = await admin.ledger.receipt(index)
  assert.match(String(await whatWasDecided(receipt, logKey)), new RegExp(`^${index}: `))
  const moved = { ...receipt, index: index - 1 }
  assert.equal(await whatWasDecided(moved, logKey), 'receipt-invalid')
})

test('agent: a secret is held for as long as the broker renews its lease', { skip }, async () => {
  assert.ok(parties)
  const { url, attester, stranger } = parties
  const holdSecret = await lines('agent', 'holdSecret')
  const onEvent = (): void => undefined
  const hold = (await holdSecret({ url, issuer: 'casemate', attester, path: SECRET, onEvent })) as {
    leaseMs(): number
    read(): Promise<string>
    close(): void
  }
  assert.equal(await hold.read(), GREETING)
  assert.ok(hold.leaseMs() > 0)
  hold.close()
  assert.equal(hold.leaseMs(), 0)
  const refused = holdSecret({ url, issuer: 'casemate', attester: stranger, path: SECRET, onEvent })
  await assert.rejects(refused as Promise<unknown>, { code: 'appraisal-refused' })
})

test('channel: a request is answered by a peer that proved itself, or not sent', { skip }, async t => {
  assert.ok(parties)
  const { driver } = parties
  const appraisal = await installed<typeof import('@casemate/appraisal')>('@casemate/appraisal')
  const { readEndorsements } = await installed<typeof import('@casemate/evidence')>('@casemate/evidence')
  const onRequest: RequestListener = (request, response) => response.end(`you asked for ${request.url}`)
  const serve = await lines('channel', 'serve')
  const server = (await serve(driver, onRequest)) as { port: number; close(): Promise<void> }
  t.after(() => server.close())
  const ask = await lines('channel', 'ask')
  const policy = { name: 'peer', version: 1, extends: 'strict', simulated: 'any', workloads: 'any' }
  const demands = {
    policy: appraisal.parsePolicy(policy),
    references: appraisal.mergeReferenceValues(),
    endorsements: readEndorsements(driver.trust.endorsements),
    anchors: driver.trust.anchors,
    now: () => new Date(),
  }
  const url = `https://127.0.0.1:${server.port}/hello`
  assert.equal(await ask(url, demands), 'you asked for /hello')
  assert.equal(await ask(url, { ...demands, anchors: [] }), 'evidence-refused')
})

test('enclave: code is built, signed, and called', { skip }, async () => {
  const callOnce = await lines('enclave', 'callOnce')
  const entry = join(temporaryDirectory(), 'hello.ts')
  writeFileSync(entry, `export function echo(input: Uint8Array): Uint8Array { return input }`)
  const answer = (await callOnce(entry, 'echo', new TextEncoder().encode('Zoë'))) as Uint8Array
  assert.equal(new TextDecoder().decode(answer), 'Zoë')
  const unknown = callOnce(entry, 'nothing', new Uint8Array()) as Promise<unknown>
  await assert.rejects(unknown, { code: 'function-unknown' })
  writeFileSync(entry, `export function echo(input: string): string { return input }`)
  const unsuitable = callOnce(entry, 'echo', new Uint8Array()) as Promise<unknown>
  await assert.rejects(unsuitable, { code: 'export-unsuitable' })
})

test('the client is installed as docs/library.md says', { skip }, async () => {
  const text = readFileSync(join(ROOT, 'docs', 'library.md'), 'utf8')
  const [, json = ''] = /^```json\n(\{\n {2}"type": "module",\n {2}"dependencies".*?)^```$/ms.exec(text) ?? []
  const installed = await installProject(JSON.parse(json.replaceAll('CHECKOUT', ROOT)))
  assert.equal(installed.skip, false)
  const program = `import { fetchInfo } from '@casemate/client'
    fetchInfo({ url: '${parties?.url}' }).then(({ issuer }) => console.log(issuer))`
  const { stdout } = await runIn(installed.directory, [
    process.execPath,
    '--input-type=module',
    '-e',
    program,
  ])
  assert.equal(stdout, 'casemate\n')
})
