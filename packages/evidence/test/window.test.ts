// Of several papers that do not cover the time the nearest is named, whatever it is and whoever its vendor.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  type AmdPlatform,
  amdPlatformFromJSON,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
  intelPlatformFromJSON,
} from '@casemate/simulator'
import { type EndorsementSource, parse, Refusal, readEndorsements, verify } from '../src/index.ts'
import { distanceTo, nearestFirst } from '../src/window.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const REPORT_DATA = new Uint8Array(64).fill(7)
const days = (count: number): Date => new Date(NOW.getTime() + count * DAY_MS)

let intel: IntelPlatform
let amd: AmdPlatform

before(async () => {
  intel = await createIntelPlatform({ now: days(-200) })
  amd = await createAmdPlatform({ now: NOW, modulusBits: 2048 })
})

async function refusal(
  platform: IntelPlatform | AmdPlatform,
  sources: Iterable<EndorsementSource>,
  now = NOW,
) {
  const request = { reportData: REPORT_DATA }
  const evidence = platform.vendor === 'intel' ? platform.tdxQuote(request) : platform.snpReport(request)
  const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' } as const
  return verify(parse(evidence), readEndorsements(sources), options).then(
    () => assert.fail('accepted'),
    (error: unknown) => {
      assert.ok(error instanceof Refusal, String(error))
      return [error.code, error.expected]
    },
  )
}

/** What is current but for `name`, of which there are several, issued at other times. */
function withSeveral(name: string, issuedAt: readonly Date[]): readonly EndorsementSource[] {
  const others = intel.endorsementsAt(days(-1)).filter(it => it.name !== name)
  const several = issuedAt.flatMap(at => intel.endorsementsAt(at).filter(it => it.name === name))
  return [...others, ...several]
}

test('distances are 0 within a window and at its ends, and grow on both sides', () => {
  const window = { begin: 10, end: 20 }
  assert.deepEqual(
    [9, 10, 15, 20, 22].map(now => distanceTo(window, now)),
    [1, 0, 0, 0, 2],
  )
})

test('what is in its window keeps its order before what is not', () => {
  const items = [
    { id: 'past', begin: 0, end: 10 },
    { id: 'first', begin: 0, end: 100 },
    { id: 'soon', begin: 51, end: 60 },
    { id: 'second', begin: 40, end: 60 },
  ]
  assert.deepEqual(
    nearestFirst(items, it => it, 50).map(({ id }) => id),
    ['first', 'second', 'soon', 'past'],
  )
})

// Documents and PCK revocation lists are good for 30 days.
for (const [name, kind] of [
  ['tdx-tcb-info.json', 'endorsement'],
  ['td-qe-identity.json', 'endorsement'],
  ['pck-crl.der', 'crl'],
] as const) {
  test(`of several ${name} outside of their windows the nearest in time is named`, async () => {
    const window = (at: Date) =>
      `between ${[at, new Date(at.getTime() + 30 * DAY_MS)].map(end => end.toISOString().replace('.000', '')).join(' and ')}`
    for (const [issued, nearest, code] of [
      [[days(-90), days(-35), days(-60)], days(-35), `${kind}-expired`],
      [[days(-90), days(2)], days(2), `${kind}-not-yet-valid`],
      [[days(100), days(-31)], days(-31), `${kind}-expired`],
      [[days(100), days(3), days(50)], days(3), `${kind}-not-yet-valid`],
    ] as const) {
      for (const order of [issued, issued.toReversed()]) {
        assert.deepEqual(await refusal(intel, withSeveral(name, order)), [code, window(nearest)])
      }
    }
  })
}

test('a higher evaluation number does not make a document nearer', async () => {
  const name = 'tdx-tcb-info.json'
  const stored = intel.toJSON()
  const settings = { ...stored.settings, tcbEvaluationDataNumber: 30 }
  const newer = await intelPlatformFromJSON({ ...stored, settings }, { now: days(-90) })
  const far = newer.endorsements.filter(it => it.name === name)
  const [code, expected] = await refusal(intel, [...far, ...withSeveral(name, [days(-31)])])
  assert.equal(code, 'endorsement-expired')
  assert.match(expected ?? '', /^between 2026-10-22T/)
})

test('of several TCB signing certificates of one key outside of their windows the nearest in time is named', async () => {
  const name = 'tcb-signing-chain.pem'
  const editions = await Promise.all(
    ['2005-06-01T00:00:00.000Z', '2010-06-01T00:00:00.000Z'].map(createdAt =>
      intelPlatformFromJSON({ ...intel.toJSON(), createdAt }, { now: NOW }),
    ),
  )
  const chains = editions.flatMap(it => it.endorsements.filter(endorsement => endorsement.name === name))
  for (const order of [chains, chains.toReversed()]) {
    const [code, expected] = await refusal(intel, [...withSeveral(name, []), ...order])
    assert.equal(code, 'certificate-expired')
    assert.match(expected ?? '', /^between 2010-05-31T/)
  }
})

test('of several certificates of one chip outside of their windows the nearest in time is named', async () => {
  const editions = await Promise.all(
    ['2016-06-01T00:00:00.000Z', '2012-06-01T00:00:00.000Z', '2030-06-01T00:00:00.000Z'].map(createdAt =>
      amdPlatformFromJSON({ ...amd.toJSON(), createdAt }, { now: NOW }),
    ),
  )
  const leaves = editions.flatMap(it => it.endorsements.filter(({ name }) => name === 'leaf.der'))
  const others = amd.endorsements.filter(({ name }) => name !== 'leaf.der')
  for (const order of [leaves, leaves.toReversed()]) {
    const found = await refusal(amd, [...others, ...order])
    assert.equal(found[0], 'certificate-expired')
    assert.match(found[1] ?? '', /^between 2016-05-31T/)
    const later = await refusal(amd, [...others, ...order], new Date('2028-01-01T00:00:00Z'))
    assert.equal(later[0], 'certificate-not-yet-valid')
  }
})
