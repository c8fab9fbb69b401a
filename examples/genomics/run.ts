// The whole of it: a biobank seals, a machine proves what it runs, an insurer asks, an auditor checks.
import { join } from 'node:path'
import type { EnclaveClient } from '@casemate/channel'
import { EnclaveError } from '@casemate/enclave'
import { recordRelease, strangerRefused } from '../stage/acts.ts'
import { PartyFailed } from '../stage/child.ts'
import type { ExampleContext } from '../stage/example.ts'
import { spreadOf } from '../stage/figures.ts'
import { readInputFile } from '../stage/input-files.ts'
import { type Latency, measureLatency } from '../stage/latency.ts'
import { readOptions, wrongUsage } from '../stage/options.ts'
import { onStage, type Stage, type StageOptions } from '../stage/stage.ts'
import { Story } from '../stage/story.ts'
import { type Cohort, newConsents, openAudit, samplesOf, sealCohort } from './biobank.ts'
import { configurationOf, DEFAULT_RULES, ENTRY } from './configuration.ts'
import { decodeBand, encodeRequest } from './insurer.ts'
import { writeCohort } from './load.ts'
import { type ReferenceResult, referenceScores } from './reference.ts'
import { COHORT_DIRECTORY } from './service.ts'
import { makeCohort } from './synthetic.ts'

export const SUMMARY = 'an insurer learns the band of a genetic risk, the enclave alone sees the genotypes'

const SYNTHETIC = { seed: 1, people: 2000, variants: 900 }
const QUICK = { rounds: 1, requests: 1000 }
const BENCH = { rounds: 5, requests: 5000 }
const PLATFORMS = ['sgx', 'tdx', 'snp'] as const
const VCF_HINT = 'genotypes of at least 100 people, as the 1000 Genomes Project publishes them'
export const USAGE = `options: --bench, --keep DIR, --platform ${PLATFORMS.join('|')}, --vcf FILE --score FILE (plain or .gz)`

interface Play {
  readonly stage: Stage
  readonly story: Story
  readonly cohort: Cohort
  readonly client: EnclaveClient
  readonly bench: boolean
}

export async function run({ args, print, signal }: ExampleContext): Promise<void> {
  const { bench, keep, platform, vcf, score } = optionsOf(args)
  const story = new Story(print)
  story.open(
    'Genomics for an insurer',
    'A biobank has genotypes, an insurer wants to know a person’s genetic risk. Neither shows the other anything.',
  )
  const files = vcf === undefined || score === undefined ? makeCohort(SYNTHETIC) : readFiles(vcf, score)
  const consents = newConsents(samplesOf(files.vcf))
  const cohort = { name: 'example', scoreName: 'risk', genotypes: files.vcf, score: files.score, consents }
  const options: StageOptions = {
    name: 'genomics',
    build: { entry: ENTRY, configuration: configurationOf({ cohort: cohort.name, score: cohort.scoreName }) },
    service: new URL('./service.ts', import.meta.url),
    kind: platform,
    signal,
    directory: keep,
  }
  await onStage(options, async stage => {
    seal(stage, story, cohort)
    await prove(stage, story)
    const client = await stage.connect()
    const play = { stage, story, cohort, client, bench }
    await ask(play)
    await audit(play)
    await recordRelease(stage, story)
    await time(play)
    await client.close()
    story.endKept(keep)
  })
}

function seal({ image, directory, owner }: Stage, story: Story, cohort: Cohort): void {
  const sealed = sealCohort(cohort, owner)
  writeCohort(join(directory, COHORT_DIRECTORY), sealed)
  const bytes = sealed.genotypes.reduce((sum, part) => sum + part.length, 0)
  story.step(
    'Seal',
    'The biobank builds the enclave from source, reads its rules, and seals what it has for exactly this code.',
    [
      { what: 'code', detail: `${image.mrEnclave} (MRENCLAVE)` },
      {
        what: 'genotypes',
        detail: `${cohort.consents.size} people, ${mebibytes(bytes)} of VCF in ${sealed.genotypes.length} sealed parts`,
      },
      {
        what: 'score',
        detail: `${cohort.score.length} bytes in the format of the PGS Catalog, sealed as well`,
      },
      { what: 'consents', detail: 'a code for each person, who gives it to whoever may ask' },
      { what: 'key', detail: 'in the broker, for this code of this signer and nobody else' },
    ],
  )
}

async function prove(stage: Stage, story: Story): Promise<void> {
  const refusal = await strangerRefused(stage)
  await stage.startServer()
  story.step(
    'Prove',
    'Another machine runs the enclave. It shows the broker evidence of which code it runs; only then does it get the key, into its memory.',
    [
      { what: 'released', detail: 'the data key, to the enclave that the biobank sealed for' },
      { what: 'refused', detail: `the same code under another signature (${refusal})` },
    ],
  )
}

async function ask({ story, cohort, client }: Play): Promise<void> {
  const [[name, code], [other]] = [...cohort.consents] as [[string, Uint8Array], [string, Uint8Array]]
  const band = decodeBand(await client.call('score', encodeRequest(name, code)))
  story.step(
    'Ask',
    'The insurer connects, and checks the same evidence over the channel before it sends anything.',
    [
      { what: 'asked', detail: `${name}, with the code that ${name} gave` },
      {
        what: 'answer',
        detail: band === null ? 'too little is known' : `band ${band} of 10, and nothing else`,
      },
      { what: 'refused', detail: await withoutConsent(client, encodeRequest(other, code)) },
    ],
  )
}

async function withoutConsent(client: EnclaveClient, request: Uint8Array): Promise<string> {
  try {
    await client.call('score', request)
  } catch (error) {
    if (error instanceof EnclaveError && error.code === 'call-failed') {
      return `the next person, with somebody else’s code (status ${error.got})`
    }
    throw error
  }
  throw new Error('an answer was given without consent')
}

async function audit({ stage, story, cohort, client }: Play): Promise<void> {
  const answer = await client.call('audit', new Uint8Array())
  const found = openAudit(answer, stage.owner)
  const reference = referenceOf(cohort)
  const equal = [...reference.people].filter(([name, { score, band }]) => {
    const one = found.get(name)
    return Object.is(one?.score, score) && one?.band === band
  })
  if (equal.length !== reference.people.size || found.size !== reference.people.size) {
    throw new Error(`${equal.length} of ${reference.people.size} people have the reference’s score`)
  }
  const { matched, ambiguous } = reference
  story.step(
    'Audit',
    'The enclave seals everybody’s exact score for the biobank, which computes them again with a plain program.',
    [
      { what: 'equal', detail: `all ${equal.length} scores to the last bit, and all bands` },
      { what: 'weights', detail: `${matched} count; ${ambiguous} are left out as strand-ambiguous` },
    ],
  )
}

function referenceOf({ score, genotypes }: Cohort): ReferenceResult {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  return referenceScores(text(score), text(genotypes), DEFAULT_RULES)
}

async function time({ story, cohort, client, bench }: Play): Promise<void> {
  const requests = [...cohort.consents].map(([name, code]) => encodeRequest(name, code))
  const size = bench ? BENCH : QUICK
  const send = (index: number): Promise<unknown> => {
    const request = requests[index % requests.length] ?? new Uint8Array()
    return client.call('score', request)
  }
  const results = await measureLatency({ ...size, send })
  const spread = (figure: keyof Latency): string =>
    spreadOf(
      results.map(result => result[figure]),
      ms => ms.toFixed(3),
      ' ms',
    )
  story.step(
    'Time',
    `Single requests over the channel, one after the other: ${size.rounds} x ${size.requests}. The platform is simulated: no cost of hardware is in it.`,
    [
      { what: 'median', detail: spread('p50') },
      { what: 'p99', detail: spread('p99') },
      { what: 'slowest', detail: spread('max') },
    ],
  )
}

function readFiles(vcf: string, score: string): { vcf: Uint8Array; score: Uint8Array } {
  const files = { vcf: readInputFile(vcf), score: readInputFile(score) }
  if (samplesOf(files.vcf).length > 1) return files
  throw new PartyFailed('file-malformed', `${vcf} has no line #CHROM that names two people`, VCF_HINT)
}

function optionsOf(args: readonly string[]) {
  const values = readOptions(args, USAGE, {
    platform: { type: 'string', default: 'sgx' },
    vcf: { type: 'string' },
    score: { type: 'string' },
  })
  if ((values.vcf === undefined) !== (values.score === undefined))
    throw wrongUsage('--vcf and --score go together', USAGE)
  const platform = PLATFORMS.find(kind => kind === values.platform)
  if (platform === undefined) throw wrongUsage(`--platform is ${values.platform}`, USAGE)
  return { ...values, platform }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
