// What the routes of the KBS protocol work with.

import type { AttestationPipeline } from '../attestation/pipeline.ts'
import type { BrokerContext } from '../context.ts'
import type { DecidingRules } from '../release/rules.ts'
import type { Sessions } from '../sessions/session.ts'
import type { Denials } from './denials.ts'
import type { Subjects } from './subjects.ts'
import type { TeeKeys } from './tee-key.ts'

/** Made once by `registerKbs`, shared by its routes. */
export interface KbsParts {
  readonly context: BrokerContext
  readonly pipeline: AttestationPipeline
  readonly rules: DecidingRules
  readonly sessions: Sessions
  readonly teeKeys: TeeKeys
  readonly subjects: Subjects
  readonly denials: Denials
}
