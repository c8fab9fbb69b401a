// What the routes of the KBS protocol work with.

import type { AttestationPipeline } from '../attestation/pipeline.ts'
import type { BrokerContext } from '../lifecycle/context.ts'
import type { Denials } from '../release/denials.ts'
import type { ReleaseRules } from '../release/rules.ts'
import type { Subjects } from '../release/subjects.ts'
import type { Sessions } from './session.ts'
import type { TeeKeys } from './tee-key.ts'

/** Made once by `registerKbs`, shared by its routes. */
export interface KbsParts {
  readonly context: BrokerContext
  readonly pipeline: AttestationPipeline
  readonly rules: ReleaseRules
  readonly sessions: Sessions
  readonly teeKeys: TeeKeys
  readonly subjects: Subjects
  readonly denials: Denials
}
