// /v1, the broker's own API: every route. The OpenAPI document follows from what they say of themselves.

import type { FastifyInstance } from 'fastify'
import { attestationRoutes } from './attestations.ts'
import { infoRoutes } from './info.ts'
import { keyRoutes } from './keys.ts'
import { ledgerRoutes } from './ledger.ts'
import type { V1Parts } from './parts.ts'
import { policyRoutes } from './policies.ts'
import { referenceRoutes } from './references.ts'
import { ruleRoutes } from './rules.ts'
import { secretRoutes } from './secrets.ts'
import { tokenRoutes } from './tokens.ts'
import { verifyRoutes } from './verify.ts'

export function registerV1(app: FastifyInstance, parts: V1Parts): void {
  secretRoutes(app, parts)
  policyRoutes(app, parts)
  referenceRoutes(app, parts)
  ruleRoutes(app, parts)
  attestationRoutes(app, parts)
  verifyRoutes(app, parts)
  ledgerRoutes(app, parts)
  tokenRoutes(app, parts)
  keyRoutes(app, parts)
  infoRoutes(app, parts)
}
