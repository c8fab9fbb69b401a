// A workload of the reference values, per kind: the fields that say which code it is.

import { type Block, block, field, type ValueOf } from './block.ts'
import { type ClaimPath, type Expectation, expect } from './expectation.ts'
import { hexes, integers, type Leaf, minimum, orWord, texts } from './leaf.ts'
import { name } from './policy-fields.ts'

const is = <T>(leaf: Leaf<T>, claim: ClaimPath, meaning: string): Expectation<T> =>
  expect(leaf, { claim, facet: 'executables', meaning, remedy: 'this is other code than the workload' })

const NAME = field(name(), 'Name of the workload, as results and policies call it; once per kind.')

const SGX = block('An SGX enclave, known by its measurement or its signer.', {
  name: NAME,
  mrEnclave: is(hexes(32), 'sgx.mrEnclave', "Measurements, or 'any' version that the signer signed."),
  mrSigner: is(hexes(32), 'sgx.mrSigner', "Digests of the signers' public keys."),
  isvProdId: is(integers(0, 65_535), 'sgx.isvProdId', 'Product ids of that signer.'),
  minIsvSvn: is(minimum(65_535), 'sgx.isvSvn', 'Lowest security version of that product.'),
})

const TDX = block(
  'A TDX domain. Known by mrTd, rtmr1 and rtmr2 together: firmware alone loads any kernel, and registers are the word of the firmware. What the policy names counts with them.',
  {
    name: NAME,
    mrTd: is(hexes(48), 'tdx.mrTd', 'Measurements of the initial domain: its firmware.'),
    rtmr0: is(hexes(48), 'tdx.rtmr0', 'Firmware configuration and boot variables.'),
    rtmr1: is(hexes(48), 'tdx.rtmr1', 'Boot loader and kernel.'),
    rtmr2: is(hexes(48), 'tdx.rtmr2', 'Kernel command line and initial RAM disk.'),
    rtmr3: is(hexes(48), 'tdx.rtmr3', 'What the guest extends at run time.'),
  },
)

const SNP = block('A SEV-SNP guest, known by its measurement or by a key that signed it; zeros are no key.', {
  name: NAME,
  measurement: is(hexes(48), 'snp.measurement', 'Launch measurements.'),
  idKeyDigest: is(hexes(48), 'snp.idKeyDigest', 'Digests of the keys that signed its ID block.'),
  authorKeyDigest: is(hexes(48), 'snp.authorKeyDigest', 'Digests of the keys that signed those keys.'),
  minGuestSvn: is(minimum(4_294_967_295), 'snp.guestSvn', 'Lowest guest SVN of its ID block.'),
})

const sampleTexts = () => orWord(['any'], texts('^[ -~]{1,64}$', 'texts of 1 to 64 characters'))

const SAMPLE = block('The test attester of Confidential Containers, which proves nothing.', {
  name: NAME,
  svn: is(sampleTexts(), 'sample.svn', 'Its version.'),
  launchDigest: is(sampleTexts(), 'sample.launchDigest', 'What its verifier reports as its code.'),
  majorVersion: is(integers(0, 65_535), 'sample.platformVersion.major', 'Major versions of its platform.'),
  minMinorVersion: is(
    minimum(65_535),
    'sample.platformVersion.minor',
    'Lowest minor version of its platform.',
  ),
})

/** Fields of each kind; `identifying` are those of which one at least must be stated. */
export const WORKLOADS = {
  sgx: { block: SGX, identifying: ['mrEnclave', 'mrSigner'] },
  tdx: { block: TDX, identifying: ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] },
  snp: { block: SNP, identifying: ['measurement', 'idKeyDigest', 'authorKeyDigest'] },
  sample: { block: SAMPLE, identifying: ['svn', 'launchDigest', 'majorVersion', 'minMinorVersion'] },
} as const

export type WorkloadKind = keyof typeof WORKLOADS

/** The fields of one kind, where it does not matter which. */
export const workloadBlock = (kind: WorkloadKind): Block => WORKLOADS[kind].block

/** A workload of a kind of which nothing is stated yet. */
export function openWorkload(kind: WorkloadKind): Readonly<Record<string, 'any'>> {
  const { name: _name, ...fields } = WORKLOADS[kind].block.fields
  return Object.fromEntries(Object.keys(fields).map(field => [field, 'any']))
}

/** A known workload; every field stated, `'any'` where it is left open. */
export type Workload = {
  readonly [K in WorkloadKind]: { readonly kind: K } & ValueOf<(typeof WORKLOADS)[K]['block']>
}[WorkloadKind]
