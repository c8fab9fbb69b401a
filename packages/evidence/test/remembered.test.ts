// What is remembered from one verification to the next is nobody's to write to: not through the bytes that were read, not
// through what was parsed of them, and not through what a verification said.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { type EndorsementSource, parse, readEndorsements, type TrustAnchor, verify } from '../src/index.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const reportData = new Uint8Array(64).fill(7)

/** Writes over everything that can be written to. */
function spoil(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0xa5)
  else if (value instanceof Date) value.setTime(0)
  else if (Array.isArray(value)) {
    value.forEach(spoil)
    value.fill(255)
  } else if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(spoil)
    for (const name of Object.keys(value)) (value as Record<string, unknown>)[name] = null
  }
}

interface Machine {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
  readonly quote: Uint8Array
}

const MACHINES: Readonly<Record<string, () => Promise<Machine>>> = {
  SGX: async () => {
    const platform = await createIntelPlatform({ now: NOW })
    return { ...platform, quote: platform.sgxQuote({ reportData }) }
  },
  TDX: async () => {
    const platform = await createIntelPlatform({ now: NOW })
    return { ...platform, quote: platform.tdxQuote({ reportData }) }
  },
  SNP: async () => {
    const platform = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
    return { ...platform, quote: platform.snpReport({ reportData }) }
  },
}

for (const [kind, machine] of Object.entries(MACHINES)) {
  test(`${kind}: who writes to what was read or said changes no other verdict`, async () => {
    const { anchors, endorsements: sources, quote } = await machine()
    const given = sources.map(({ name, bytes }) => ({ name, bytes: new Uint8Array(bytes) }))
    const endorsements = readEndorsements(given)
    const options = { now: NOW, anchors, minTcbEvaluationDataNumber: 'any' } as const
    const sent = new Uint8Array(quote)
    const evidence = parse(sent)
    const verified = await verify(evidence, endorsements, options)
    const wanted = structuredClone(verified)
    for (const written of [given, sent, evidence, verified]) {
      spoil(written)
      assert.deepEqual(await verify(parse(quote), endorsements, options), wanted)
    }
  })
}
