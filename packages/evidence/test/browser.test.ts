// The package in a browser: bundled without Node, in headless Chromium, through WebCrypto, on one piece of evidence of
// each kind. Captured evidence where it is present, a simulator's otherwise; the verdict must be the one of Node.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { toBase64 } from '../src/bytes.ts'
import { parse, readEndorsements, type TrustAnchor, VENDOR_ANCHORS, verify } from '../src/index.ts'
import { readSnpVector } from './amd/vectors.ts'
import { intelCertificates, readIntelVector, readVectorFile, skipVectors } from './intel/vectors.ts'

const CHROMIUM = process.env['CASEMATE_CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(CHROMIUM) ? false : `no browser at ${CHROMIUM} (CASEMATE_CHROMIUM)`
/** A page that comes from a secure origin has WebCrypto; nothing is fetched from it. */
const ORIGIN = 'https://casemate.test/'
const NOW = new Date('2026-11-22T12:00:00Z')
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface Case {
  readonly name: string
  readonly evidence: Uint8Array
  readonly sources: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  readonly anchors: readonly TrustAnchor[]
  readonly now: Date
}

async function simulatedCases(): Promise<readonly Case[]> {
  const reportData = new Uint8Array(64).fill(7)
  const intel = await createIntelPlatform({ now: NOW })
  const amd = await createAmdPlatform({ now: NOW })
  const ofIntel = { sources: intel.endorsements, anchors: intel.anchors, now: NOW }
  return [
    { name: 'sgx', evidence: intel.sgxQuote({ reportData }), ...ofIntel },
    { name: 'tdx', evidence: intel.tdxQuote({ reportData, format: 'v5-1.5' }), ...ofIntel },
    {
      name: 'snp',
      evidence: amd.snpReport({ reportData }),
      sources: amd.endorsements,
      anchors: amd.anchors,
      now: NOW,
    },
  ]
}

function capturedCases(): readonly Case[] {
  if (skipVectors !== false) return []
  const intel = [readIntelVector('sgx', 'phala-sgx-quote'), readIntelVector('tdx', 'phala-tdx-quote-c42f91')]
  const cases = intel.map(({ name, quote, meta }): Case => {
    const { tcbinfo, qe_identity } = meta.suggested_collateral ?? {}
    const paths = [tcbinfo, qe_identity, ...(meta.suggested_crls ?? [])].filter(
      path => typeof path === 'string',
    )
    return {
      name,
      evidence: quote,
      sources: [...intelCertificates(), ...paths.map(path => ({ name: path, bytes: readVectorFile(path) }))],
      anchors: VENDOR_ANCHORS,
      now: new Date(meta.suggested_time ?? 0),
    }
  })
  const snp = readSnpVector('ms-milan-attestation-report')
  const leaves = [...snp.files].filter(([file]) => /vcek|vlek/i.test(file))
  return [
    ...cases,
    {
      name: snp.name,
      evidence: snp.files.get('report.bin') ?? new Uint8Array(),
      sources: leaves.map(([name, bytes]) => ({ name, bytes })),
      anchors: VENDOR_ANCHORS,
      now: snp.suggestedTime ?? new Date(0),
    },
  ]
}

/** What both sides are asked; strings only, so that it crosses into the page. */
function toJson({ evidence, sources, anchors, now }: Case, flippedByte: number | null): string {
  const bytes = Uint8Array.from(evidence)
  if (flippedByte !== null) bytes[flippedByte] = (bytes[flippedByte] ?? 0) ^ 1
  return JSON.stringify({
    evidence: toBase64(bytes),
    sources: sources.map(it => ({ name: it.name, bytes: toBase64(it.bytes) })),
    anchors: anchors.map(it => ({ ...it, spki: toBase64(it.spki) })),
    now: now.toISOString(),
  })
}

const PAGE_CODE = `
  import { parse, readEndorsements, Refusal, verify } from './index.ts'
  const bytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0))
  globalThis.verifyJson = async json => {
    const { evidence, sources, anchors, now } = JSON.parse(json)
    try {
      const verified = await verify(
        parse(bytes(evidence)),
        readEndorsements(sources.map(it => ({ name: it.name, bytes: bytes(it.bytes) }))),
        {
          now: new Date(now),
          anchors: anchors.map(it => ({ ...it, spki: bytes(it.spki) })),
          minTcbEvaluationDataNumber: 'any',
        },
      )
      return JSON.stringify(verified)
    } catch (error) {
      return error instanceof Refusal ? error.code : String(error.stack)
    }
  }
`

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: PAGE_CODE, resolveDir: new URL('../src', import.meta.url).pathname },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    // A Node module in here would be an error of the bundler.
    conditions: ['browser'],
  })
  return outputFiles[0]?.text ?? ''
}

test('evidence of each kind verifies in a browser as it does in Node', { skip }, async t => {
  const script = await bundle()
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.route('**/*', route =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>t</title>' }),
  )
  await page.goto(ORIGIN)
  await page.addScriptTag({ content: script })
  const ask = (json: string): Promise<string> =>
    page.evaluate(
      text => (globalThis as unknown as { verifyJson(json: string): Promise<string> }).verifyJson(text),
      json,
    )
  for (const given of [...(await simulatedCases()), ...capturedCases()]) {
    const inNode = await verify(parse(given.evidence), readEndorsements(given.sources), {
      now: given.now,
      anchors: given.anchors,
      minTcbEvaluationDataNumber: 'any',
    })
    const answer = await ask(toJson(given, null))
    assert.equal(answer, JSON.stringify(inNode), given.name)
    // A byte of the signed body, where every format has a measurement or report data.
    assert.equal(await ask(toJson(given, 0x80)), 'quote-signature-invalid', given.name)
  }
})
