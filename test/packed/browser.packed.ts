// The portable packages in a browser, bundled from what was installed with no module of Node: what their READMEs show gives
// the same answers there.
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { GREETING, openParties, SECRET } from './parties.ts'
import { sharedProject } from './project.ts'
import { fileShownBy } from './readme.ts'

const CHROMIUM = process.env['CASEMATE_CHROMIUM'] ?? '/usr/bin/chromium'
const project = await sharedProject()
const skip = existsSync(CHROMIUM) ? project.skip : `no browser at ${CHROMIUM} (CASEMATE_CHROMIUM)`
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
]
/** So that the page has the broker's own origin. */
const BLANK = '/blank'

/** What the page gets and gives, as JSON: bytes are base64. */
const PAGE = `
import { parse, readEndorsements, verify } from '@casemate/evidence'
import { workloadOf } from '@casemate/appraisal'
import { whoSigned } from './readme-evidence.mjs'
import { judge } from './readme-appraisal.mjs'
import { secretOf } from './readme-client.mjs'
import { whatWasDecided } from './readme-ledger.mjs'

const bytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0))
globalThis.answers = async ({ quote, collateral, anchors, receipt, key, path, url }) => {
  const evidence = bytes(quote)
  const bag = collateral.map(({ name, bytes: text }) => ({ name, bytes: bytes(text) }))
  const trusted = anchors.map(anchor => ({ ...anchor, spki: bytes(anchor.spki) }))
  const changed = Uint8Array.from(evidence)
  changed[0x80] ^= 1
  const demands = { now: new Date(), anchors: trusted, minTcbEvaluationDataNumber: 'any' }
  const { claims } = await verify(parse(evidence), readEndorsements(bag), demands)
  const attester = { tee: 'tdx', evidence: async data => JSON.parse(await globalThis.quoteFor(btoa(String.fromCharCode(...data)))) }
  return {
    signed: await whoSigned(evidence, bag, trusted),
    untrusted: await whoSigned(evidence, bag),
    changed: await whoSigned(changed, bag, trusted),
    judged: judge(claims, [workloadOf(claims, 'mine')], { simulated: 'any' }),
    refused: judge(claims, [workloadOf(claims, 'mine')]),
    receipt: await whatWasDecided(receipt, key),
    forged: await whatWasDecided({ ...receipt, index: receipt.index + 1 }, key),
    secret: await secretOf(url, attester, path),
    missing: await secretOf(url, attester, 'default/packed/none'),
  }
}
`

async function bundle(): Promise<string> {
  for (const name of ['evidence', 'appraisal', 'client', 'ledger']) await fileShownBy(`@casemate/${name}`)
  const entry = join(project.directory, 'page.mjs')
  writeFileSync(entry, PAGE)
  const { outputFiles, warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
  })
  assert.deepEqual(warnings, [])
  return outputFiles[0]?.text ?? ''
}

async function questions() {
  const { url, admin, driver, attester, logKey } = await openParties()
  const { index } = (await admin.ledger.entries({ order: 'desc', limit: 1 })).items[0] ?? { index: -1 }
  const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64')
  return {
    attester,
    index,
    given: {
      url,
      path: SECRET,
      quote: base64((await driver.quote(new Uint8Array(64).fill(7))).evidence),
      collateral: driver.trust.endorsements.map(({ name, bytes }) => ({ name, bytes: base64(bytes) })),
      anchors: driver.trust.anchors.map(anchor => ({ ...anchor, spki: base64(anchor.spki) })),
      receipt: await admin.ledger.receipt(index),
      key: logKey,
    },
  }
}

test('what the READMEs show gives the same answers in a browser', { skip }, async t => {
  const { given, attester, index } = await questions()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.route(`**${BLANK}`, route =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
  )
  await page.exposeFunction('quoteFor', async (reportData: string) =>
    JSON.stringify(await attester.evidence(new Uint8Array(Buffer.from(reportData, 'base64')))),
  )
  await page.goto(`${given.url}${BLANK}`)
  await page.addScriptTag({ content: await bundle() })
  const answered = await page.evaluate(async asked => {
    const { answers } = globalThis as unknown as { answers: (asked: unknown) => Promise<object> }
    return JSON.stringify(await answers(JSON.parse(asked)))
  }, JSON.stringify(given))
  const { receipt, ...answers } = JSON.parse(answered)
  assert.match(String(receipt), new RegExp(`^${index}: `))
  assert.deepEqual(answers, {
    signed: 'tdx, simulated: true',
    untrusted: 'chain-untrusted',
    changed: 'quote-signature-invalid',
    judged: 'mine',
    refused: ['simulated'],
    forged: 'receipt-invalid',
    secret: GREETING,
    missing: 'secret-missing',
  })
})
