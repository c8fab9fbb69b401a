// Quote and report verification: warm and cold, against a peer and against the signatures that it cannot avoid.
// Evidence is the simulator's, in the real formats; a peer gets the same bytes and the same root. By the thread's processor time.
import { randomBytes, X509Certificate } from 'node:crypto'
import { parse, readEndorsements, verify } from '@casemate/evidence'
import { createAmdPlatform, createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { qvlVerifier } from '../packages/simulator/test/qvl.ts'
import { bareVerification } from './floor.ts'
import { measure, measureBatches, threadTime } from './measure.ts'
import { authorityOf, coldFloor, newMachineFloor, reportFloor } from './quote-floor.ts'
import { printRates, printRatio } from './report.ts'

/** Enough different quotes that no memory of whole quotes could help. */
const QUOTES = 256
/** Fresh platforms per round: nothing of them has been seen before. */
const COLD_PLATFORMS = 48
/**
 * As large as what Intel serves: TCB info of 10 levels (SGX has that on average; for TDX it makes 6 KB, where Intel's
 * has 3 to 8), and the 57 machines in the Platform CA's list of 2026.
 */
const REAL_SIZE = { olderTcbLevels: 8, revokedStrangers: 57 } as const
/** New machines a round, of a platform whose collateral and authorities are known. */
const NEW_MACHINES = 128
/** Prints the tables of this topic. */
export async function benchQuotes(): Promise<void> {
  await intelWarm('tdx')
  await intelWarm('sgx')
  await intelNewMachine()
  await intelCold()
  await snpWarm()
}

async function intelWarm(tee: 'sgx' | 'tdx'): Promise<void> {
  const now = new Date()
  const platform = await createIntelPlatform({ now, ...REAL_SIZE })
  const quotes = Array.from({ length: QUOTES }, () => quoteOf(platform, tee))
  const endorsements = readEndorsements(platform.endorsements)
  const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' } as const
  const peer = qvlVerifier(platform, tee)
  // Header and body of the quote; the quoting enclave's report.
  const signed = [
    bareVerification('P-256', tee === 'sgx' ? 432 : 632),
    bareVerification('P-256', 384),
  ] as const
  const next = cycle(quotes)

  const [ours, theirs, two, one] = await measure(
    [
      { name: 'casemate, parsed and verified', run: () => verify(parse(next()), endorsements, options) },
      { name: '@phala/dcap-qvl', run: () => peer(next(), now) },
      { name: 'two bare P-256 verifications', run: () => signed[0]() && signed[1]() },
      { name: 'one bare P-256 verification', run: signed[0] },
    ],
    threadTime,
  )
  printRates(`Verify a ${tee.toUpperCase()} quote, endorsements warm`, [ours!, theirs!, two!, one!])
  printRatio('against two bare P-256 verifications', ours!, two!, { atLeast: 0.85 })
  printRatio('against @phala/dcap-qvl', ours!, theirs!, { atLeast: 50 })
}

async function intelNewMachine(): Promise<void> {
  const now = new Date()
  const platform = await createIntelPlatform({ now, ...REAL_SIZE })
  const endorsements = readEndorsements(platform.endorsements)
  const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' } as const
  const seen = quoteOf(platform, 'tdx')
  await verify(parse(seen), endorsements, options)
  const authority = authorityOf(seen)
  const [ours, floor] = await measureBatches(
    async () =>
      Array.from({ length: NEW_MACHINES }, () => {
        const quote = quoteOf(platform.sibling(), 'tdx')
        return { quote, bare: newMachineFloor(quote, authority) }
      }),
    [
      {
        name: 'casemate tdx v4, collateral known',
        run: ({ quote }) => verify(parse(quote), endorsements, options),
      },
      { name: 'its 3 P-256 verifications and 2 key imports, bare', run: ({ bare }) => bare() },
    ],
  )
  printRates('Verify a TDX quote of a machine never seen before', [ours!, floor!])
  printRatio('against the bare verifications and imports', ours!, floor!, { atLeast: 0.85 })
}

async function intelCold(): Promise<void> {
  const now = new Date()
  const [ours, theirs, floor] = await measureBatches(async () => {
    const platforms: IntelPlatform[] = []
    for (let index = 0; index < COLD_PLATFORMS; index++) {
      platforms.push(await createIntelPlatform({ now, ...REAL_SIZE }))
    }
    return platforms.map(platform => {
      const quote = quoteOf(platform, 'tdx')
      const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' } as const
      const endorsements = platform.endorsements.filter(isForTdx)
      return { platform, quote, options, endorsements, bare: coldFloor(quote, platform) }
    })
  }, [
    {
      name: 'casemate tdx v4, nothing cached',
      run: ({ quote, endorsements, options }) =>
        verify(parse(quote), readEndorsements(endorsements), options),
    },
    { name: '@phala/dcap-qvl', run: ({ platform, quote }) => qvlVerifier(platform, 'tdx')(quote, now) },
    { name: 'its 10 P-256 verifications and 5 key imports, bare', run: ({ bare }) => bare() },
  ])
  printRates('Verify a TDX quote of a platform never seen before', [ours!, theirs!, floor!])
  printRatio('against @phala/dcap-qvl', ours!, theirs!, { atLeast: 8 })
  printRatio('against the bare verifications and imports', ours!, floor!, { atLeast: 0.7 })
  printRatio('the bare verifications and imports against @phala/dcap-qvl', floor!, theirs!, 'none')
}

async function snpWarm(): Promise<void> {
  const now = new Date()
  const platform = await createAmdPlatform({ now, modulusBits: 2048 })
  const reports = Array.from({ length: QUOTES }, () => platform.snpReport({ reportData: randomBytes(64) }))
  const endorsements = readEndorsements(platform.endorsements)
  const options = { now, anchors: platform.anchors, minTcbEvaluationDataNumber: 'any' } as const
  const leaf = platform.endorsements.find(({ name }) => name === 'leaf.der')
  const vcek = new X509Certificate(leaf!.bytes).publicKey
  const next = cycle(reports)
  // The same signatures in the same order: of one signature again and again, a processor learns the branches.
  const bare = cycle(reports.map(report => reportFloor(report, vcek)))

  const [ours, floor] = await measure(
    [
      { name: 'casemate SNP report, chain warm', run: () => verify(parse(next()), endorsements, options) },
      { name: 'its P-384 verification, bare', run: () => bare()() },
    ],
    threadTime,
  )
  printRates('Verify a SEV-SNP report, chain warm', [ours!, floor!])
  printRatio('against its bare P-384 verification', ours!, floor!, { atLeast: 0.9 })
}

function quoteOf(platform: IntelPlatform, tee: 'sgx' | 'tdx'): Uint8Array {
  const request = { reportData: randomBytes(64) }
  return tee === 'sgx' ? platform.sgxQuote(request) : platform.tdxQuote({ ...request, format: 'v4' })
}

/** A peer is given these too: a service is asked for no SGX documents to verify a TDX quote. */
function isForTdx({ name }: IntelPlatform['endorsements'][number]): boolean {
  return name !== 'sgx-tcb-info.json' && name !== 'qe-identity.json'
}

function cycle<T>(items: readonly T[]): () => T {
  let index = 0
  return () => items[index++ % items.length]!
}
