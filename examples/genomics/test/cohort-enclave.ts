// A running enclave with a cohort in it, and the biobank's side of it: everything but the broker and the channel.
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import {
  Enclave,
  type EnclaveEvent,
  identityOf,
  openBrokerRoot,
  parseImage,
  signImage,
  type UnsealOptions,
  verifyImage,
} from '@casemate/enclave'
import { builtOnce } from '../../../packages/enclave/test/building/built-once.ts'
import { SIGNING } from '../../../packages/enclave/test/image/keys.ts'
import { type Cohort, newConsents, samplesOf, sealCohort } from '../biobank.ts'
import { configurationOf, ENTRY, type Rules } from '../configuration.ts'
import { loadCohort } from '../load.ts'

export interface OpenedCohort {
  readonly enclave: Enclave
  readonly cohort: Cohort
  /** The biobank seals and opens with these. */
  readonly biobank: UnsealOptions
  /** Events of instances. */
  readonly events: readonly EnclaveEvent[]
}

export async function openCohort(
  t: TestContext,
  files: { readonly vcf: Uint8Array; readonly score: Uint8Array },
  rules: Partial<Rules> = {},
): Promise<OpenedCohort> {
  const configuration = configurationOf({ cohort: 'test', score: 'TEST' }, rules)
  const unsigned = await builtOnce({ entry: ENTRY, configuration })
  const image = signImage(unsigned, { privateKey: SIGNING.privateKey, date: '20260101' })
  const parsed = parseImage(image)
  const key = randomBytes(32)
  const root = openBrokerRoot({ path: 'genomics/key/test', key })
  const events: EnclaveEvent[] = []
  const enclave = await Enclave.create(image, {
    platform: {
      sealing: root,
      secrets: new Map(),
      log: () => undefined,
      report: event => events.push(event),
    },
    debug: false,
    signers: 'any',
    measurement: Buffer.from(parsed.mrEnclave).toString('hex'),
  })
  t.after(() => enclave.close())
  const biobank = { root, identity: identityOf(parsed, verifyImage(parsed)) }
  const consents = newConsents(samplesOf(files.vcf))
  const cohort = { name: 'test', scoreName: 'TEST', score: files.score, genotypes: files.vcf, consents }
  await loadCohort(enclave, sealCohort(cohort, biobank))
  return { enclave, cohort, biobank, events }
}
