// The main job, shown with a virtual TDX machine: prepare, attest, appraise, release, record. Each step really is
// done, over the same HTTP that any workload and any auditor uses, and is told in plain words with what came of it.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { workloadOf } from '@casemate/appraisal'
import {
  type Admin,
  type AttestedSession,
  type Attester,
  attest,
  BrokerRefusal,
  fetchInfo,
  openAdmin,
  verifyRelease,
} from '@casemate/client'
import { DEMO_CODE } from '@casemate/enclave/simulator-files'
import { readEndorsements, recognise, verify } from '@casemate/evidence'
import type { Simulator } from '../attesting/simulator.ts'
import { TOUR_FILES, writeWhole } from '../broker/data-directory.ts'
import { DEFAULT_KIND } from '../kinds/kinds.ts'
import { cell } from '../terminal/table.ts'
import { TOUR_SECRET, type TourStep } from './step.ts'

/** What the tour's secret says. */
const GREETING = 'Good morning from inside the vault.'

/** Code that nobody put among the reference values. */
const OTHER_CODE = 'somebody-else'

/** How many of the newest entries are looked through for the release. */
const RECENT_ENTRIES = 50

/** What the tour works with. */
export interface TourOptions {
  readonly url: string
  /** Null if no administrator's token is at hand any more: the record is then not read. */
  readonly token: string | null
  readonly simulator: Simulator
  /** Where the quote, the receipt and the log's key are left for the person to look at. */
  readonly directory: string
  readonly now: () => Date
  readonly tell: (step: TourStep) => void
}

interface AttestedDemo {
  readonly session: AttestedSession
  readonly quote: Uint8Array
}

/** The whole tour on a fresh broker, or on one where an earlier one was cut off: what is there already, stays. */
export async function fullTour(options: TourOptions & { readonly token: string }): Promise<void> {
  const { url, token, tell } = options
  const admin = openAdmin({ url, token })
  tell(await prepare(admin, options))
  const demo = await attestDemo(options)
  const { session } = demo
  tell(attestStep(demo))
  tell(appraiseStep(session))
  tell(await releaseStep(session, options))
  tell(await recordStep(admin, session, options))
}

/** What a later start shows: that it still works, with the same data. */
export async function returnTour(options: TourOptions): Promise<void> {
  const { session } = await attestDemo(options)
  const { proofs } = await releaseStep(session, options)
  options.tell({
    title: 'Still there',
    sentence: 'The data of last time is in place, and the workload still gets its secret.',
    proofs: proofs.slice(0, 1),
  })
  if (options.token === null) return
  options.tell(await recordStep(openAdmin({ url: options.url, token: options.token }), session, options))
}

/** What an administrator has changed since an earlier start ends the tour, and not the broker. True at its end. */
export async function unlessChanged(tell: TourOptions['tell'], tour: Promise<void>): Promise<boolean> {
  try {
    await tour
    return true
  } catch (error) {
    if (!(error instanceof BrokerRefusal)) throw error
    tell({
      title: 'Changed since',
      sentence: `The tour ends here, as the broker now answers ${error.code}: ${error.message}.`,
      proofs: [],
    })
    return false
  }
}

/** Stores what the broker has to know; each only if nothing of the name is there yet. */
async function prepare(admin: Admin, { simulator, now }: TourOptions): Promise<TourStep> {
  const workload = await measuredWorkload(simulator, now())
  const policy = { extends: 'strict', name: 'default', version: 1, simulated: 'any', workloads: [DEMO_CODE] }
  const rule = {
    secrets: 'default/demo/*',
    expression: `result.workload == "${DEMO_CODE}"`,
    message: `secrets of the demo go to the workload ${DEMO_CODE} only`,
    enabled: true,
  }
  await unlessThere(admin.references.put('demo', { workloads: [{ ...workload }] }, 'new'))
  await unlessThere(admin.policies.put('default', policy, 'new'))
  await unlessThere(admin.secrets.put(TOUR_SECRET, new TextEncoder().encode(GREETING), 'new'))
  await unlessThere(admin.rules.put('demo', rule, 'new'))
  return {
    title: 'Prepare',
    sentence:
      'You, the administrator, say which code you know, what its machine must be like, and who gets what.',
    proofs: [
      {
        what: 'known code',
        detail: `one workload called ${DEMO_CODE}, by the hashes of its firmware and kernel`,
      },
      { what: 'policy', detail: 'known code on an up-to-date machine; simulated is fine, as this is a tour' },
      {
        what: 'secret',
        detail: `${TOUR_SECRET}, encrypted at rest; no command shows it again: it leaves only to attested code, and that is on the record`,
      },
      { what: 'rule', detail: `default/demo/* goes to the workload ${DEMO_CODE}, and to nobody else` },
    ],
  }
}

async function unlessThere(put: Promise<unknown>): Promise<void> {
  try {
    await put
  } catch (error) {
    if (!(error instanceof BrokerRefusal && error.code === 'precondition-failed')) throw error
  }
}

/** Reference values as one gets them in real life: by measuring a machine that is known to be good. */
async function measuredWorkload(simulator: Simulator, now: Date): Promise<ReturnType<typeof workloadOf>> {
  const quote = recognise(await simulator.quote(new Uint8Array(64), DEMO_CODE))
  const { claims } = await verify(quote, readEndorsements(simulator.endorsements), {
    now,
    anchors: simulator.anchors,
    minTcbEvaluationDataNumber: 'any',
  })
  return workloadOf(claims, DEMO_CODE)
}

/** The workload's side of the handshake; the quote that it sent is kept to be looked at. */
async function attestDemo({ url, simulator, directory }: TourOptions): Promise<AttestedDemo> {
  const { issuer } = await fetchInfo({ url })
  const { tee, evidence } = simulator.attester(DEFAULT_KIND, DEMO_CODE)
  let quote = new Uint8Array()
  const attester: Attester = {
    tee,
    evidence: async reportData => {
      const sent = (await evidence(reportData)) as { readonly quote: string }
      quote = new Uint8Array(Buffer.from(sent.quote, 'base64'))
      return sent
    },
  }
  const session = await attest({ url, attester, issuer })
  keep(directory, TOUR_FILES.quote, quote)
  return { session, quote }
}

function attestStep({ quote }: AttestedDemo): TourStep {
  return {
    title: 'Attest',
    sentence:
      'The workload makes a fresh key, and asks its machine for evidence: a signed statement of which code runs, bound to that key and to a number that the broker has just chosen (the nonce).',
    proofs: [
      { what: 'evidence', detail: `${quote.length} bytes, in the format of a real machine (a TDX quote)` },
    ],
  }
}

/** What the statuses of an attestation result (EAR) mean here. */
const STATUS_MEANINGS: Readonly<Record<string, string>> = {
  affirming: 'accepted',
  warning: 'accepted, with a warning in it: the hardware is simulated',
}

function appraiseStep({ claims }: AttestedSession): TourStep {
  const submods = claims['submods'] as { cpu0?: Readonly<Record<string, unknown>> } | undefined
  const status = cell(submods?.cpu0?.['ear.status'])
  const minutes = Math.round(((claims.exp ?? 0) - (claims.iat ?? 0)) / 60)
  return {
    title: 'Appraise',
    sentence:
      'The broker checks every signature from the machine up to its maker, then compares what they vouch for with the policy.',
    proofs: [
      { what: 'verdict', detail: STATUS_MEANINGS[status] ?? status },
      {
        what: 'token',
        detail: `says so for ${minutes} minutes; the workload has checked its signature, nonce and key`,
      },
    ],
  }
}

async function releaseStep(session: AttestedSession, options: TourOptions): Promise<TourStep> {
  const secret = new TextDecoder().decode(await session.getSecret(TOUR_SECRET))
  return {
    title: 'Release',
    sentence:
      'The secret is encrypted to the key that the evidence binds, so that only this workload can open it.',
    proofs: [
      { what: 'released', detail: `“${secret}”` },
      { what: 'refused', detail: await strangerRefused(options) },
    ],
  }
}

/** The same machine with other code: it must not get as far as asking. */
async function strangerRefused({ url, simulator }: TourOptions): Promise<string> {
  try {
    const { issuer } = await fetchInfo({ url })
    await attest({ url, attester: simulator.attester(DEFAULT_KIND, OTHER_CODE), issuer })
  } catch (error) {
    if (error instanceof BrokerRefusal) return `the same machine with other code (${error.code})`
    throw error
  }
  throw new Error('other code than the known one was accepted')
}

async function recordStep(admin: Admin, session: AttestedSession, options: TourOptions): Promise<TourStep> {
  const { ledgerKey } = await fetchInfo({ url: options.url })
  const index = await releaseOf(admin, session)
  const proved = await verifyRelease({ admin, index, key: ledgerKey })
  keep(options.directory, TOUR_FILES.receipt, JSON.stringify(proved.receipt, null, 2))
  keep(options.directory, TOUR_FILES.key, `${ledgerKey}\n`)
  return {
    title: 'Record',
    sentence: 'Every decision, also every refusal, is an entry of a log that nobody can rewrite unnoticed.',
    proofs: [
      {
        what: 'entry',
        detail: `number ${index} of ${proved.treeSize} says what was released, to whom, and by which rule`,
      },
      { what: 'proof', detail: 'its receipt, checked by this program with nothing but the log’s public key' },
    ],
  }
}

/** The index of this session's release, among the newest entries. */
async function releaseOf(admin: Admin, session: AttestedSession): Promise<number> {
  const { items } = await admin.ledger.entries({ order: 'desc', limit: RECENT_ENTRIES })
  const found = items.find(({ entry }) => {
    const actor = entry?.['actor'] as { readonly attestation?: unknown } | undefined
    return entry?.['type'] === 'release.granted' && actor?.attestation === session.claims.jti
  })
  if (found === undefined) throw new Error('the release is not among the newest entries of the log')
  return found.index
}

function keep(directory: string, name: string, content: string | Uint8Array): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeWhole(join(directory, name), content)
}
