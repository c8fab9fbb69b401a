// The Confidential Containers KBS protocol under /kbs/v0, versions 0.4.0, 0.2.0 and 0.1.1.
// Bodies are read as bytes whatever their content type says, and every answer other than 200 is `{type, detail}`.

import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import { Denials } from '../release/denials.ts'
import { Subjects } from '../release/subjects.ts'
import { registerAdministration } from './administration.ts'
import { answerKbsError } from './answer.ts'
import { countDecisions } from './counts.ts'
import { registerHandshake } from './handshake.ts'
import type { KbsOptions, KbsParts } from './parts.ts'
import { registerResource } from './resource.ts'
import { Sessions } from './session.ts'
import { TeeKeys } from './tee-key.ts'

/** Registers all routes in a scope of their own: parsers and error bodies are the protocol's there and nowhere else. */
export async function registerKbs(app: FastifyInstance, options: KbsOptions): Promise<void> {
  const parts = partsOf(options)
  await app.register(
    async scope => {
      readBodiesAsBytes(scope)
      scope.setErrorHandler(answerKbsError)
      // Never called, as `refuseUnknownRoutes` is before it. But where a scope has none, what is not served in it is refused
      // by the server’s error handler, with a body that no guest reads.
      scope.setNotFoundHandler(() => {
        throw new BrokerError('route-missing', 'nothing is served under this name')
      })
      registerHandshake(scope, parts)
      registerResource(scope, parts)
      registerAdministration(scope, parts)
    },
    { prefix: '/kbs/v0' },
  )
}

function partsOf(options: KbsOptions): KbsParts {
  const { config, store, ledger, sessionKeys, secrets, rules, counted, metrics, now } = options
  const subjects = new Subjects(store.attestations)
  return {
    ...options,
    sessions: new Sessions({ keys: sessionKeys, now, lifetimeMs: config.sessionTimeout }),
    teeKeys: new TeeKeys({ allowRsa15: config.rsa15 }),
    subjects,
    release: {
      subjects,
      rules: countDecisions(metrics, rules),
      secrets,
      denials: new Denials({ append: denial => ledger.append(denial), counted }),
      store,
      now,
    },
  }
}

function readBodiesAsBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}
