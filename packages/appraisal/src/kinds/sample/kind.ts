// How the evidence of a sample attester is appraised. A policy has no block for it: nothing about it can be relied upon.

import type { SampleClaims } from '@casemate/evidence'
import { block } from '../../block.ts'
import { integers, minimum, orWord, texts } from '../../leaf.ts'
import { type AppraisedKind, NO_DEPENDENT_CHECKS, SIGNED_CODE_HINT, type TokenObject, way } from '../kind.ts'
import { is, NAME } from '../workload.ts'

const sampleTexts = () => orWord(['any'], texts('^[ -~]{1,64}$', 'texts of 1 to 64 characters'))

const WORKLOAD = block('The test attester of Confidential Containers, which proves nothing.', {
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

const IDENTIFYING = ['svn', 'launchDigest', 'majorVersion', 'minMinorVersion'] as const

export const SAMPLE = {
  policy: null,
  presets: null,
  isIntel: false,
  firmwareBy: 'status',
  dependent: () => () => NO_DEPENDENT_CHECKS,
  workload: { block: WORKLOAD, identifying: IDENTIFYING },
  // Nothing of it is proof, so that no field says more than another.
  ways: IDENTIFYING.map(field => way('measurement', `sample.${field}`)),
  lackHint: () => SIGNED_CODE_HINT,
  workloadOf: ({ sample: { svn, launchDigest, platformVersion } }) => ({
    svn: [svn],
    launchDigest: [launchDigest],
    majorVersion: [platformVersion.major],
    minMinorVersion: platformVersion.minor,
  }),
  hasHostData: false,
  token,
} as const satisfies AppraisedKind<SampleClaims>

function token({ sample: { svn, launchDigest, platformVersion }, debug }: SampleClaims): TokenObject {
  return { svn, launch_digest: launchDigest, platform_version: { ...platformVersion }, debug }
}
