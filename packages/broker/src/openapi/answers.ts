// The answers of an operation in the API description: successes with their headers, and every error by status.

import type { TSchema } from 'typebox'
import type { BrokerErrorCode } from '../errors.ts'
import type { Access } from '../roles.ts'
import { ErrorAnswer } from './error-answer.ts'
import { errorsOf } from './route-errors.ts'
import type { DescribedSchema } from './route-schema.ts'

const JSON_TYPE = 'application/json'

const MEANINGS: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Made; nothing was there before.',
  503: 'It cannot, and says what.',
}

const TEXT = { type: 'string' } as const

/** Headers that come with a status. */
const HEADERS: Readonly<Record<number, object>> = {
  401: { 'WWW-Authenticate': { description: '`Bearer`', schema: TEXT } },
  503: {
    'Retry-After': {
      description: 'seconds, where it is known when to try again',
      schema: { type: 'integer' },
    },
  },
}

const ETAG = { ETag: { description: 'the revision, for If-Match and If-None-Match', schema: TEXT } }

/** The errors of all operations, each combination under one name. */
export class NamedErrors {
  readonly responses = new Map<string, object>()

  refer(status: number, codes: readonly BrokerErrorCode[]): object {
    const name = codes.map(pascalCase).join('Or')
    if (!this.responses.has(name)) this.responses.set(name, describeError(status, codes))
    return { $ref: `#/components/responses/${name}` }
  }
}

function pascalCase(code: string): string {
  return code.replaceAll(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}

/** A route, as its answers follow from it. */
export interface DescribedRoute {
  readonly method: string
  readonly access: Access | undefined
  readonly schema: DescribedSchema
}

export function describeAnswers(route: DescribedRoute, named: NamedErrors): Record<string, object> {
  const { method, access, schema } = route
  const { response, described = {}, produces, tagged = false, consumes, errors = [] } = schema
  const [type = JSON_TYPE] = produces ?? []
  const successes = Object.entries<TSchema>({ ...response, ...described }).map(([status, body]) => {
    const headers = tagged ? { headers: ETAG } : {}
    return [status, { description: MEANINGS[status], ...headers, content: { [type]: { schema: body } } }]
  })
  const unchanged = tagged && method === 'GET' ? [['304', UNCHANGED]] : []
  const found = errorsOf({
    method,
    access,
    isChecked: [schema.params, schema.querystring, schema.headers].some(part => part !== undefined),
    takesJson: consumes === undefined,
    own: errors,
  })
  const failures = [...found].map(([status, codes]) => [status, named.refer(status, codes)])
  return Object.fromEntries([...unchanged, ...failures, ...successes]) as Record<string, object>
}

const UNCHANGED = { description: 'What If-None-Match names is the revision still; no body.', headers: ETAG }

function describeError(status: number, codes: readonly BrokerErrorCode[]): object {
  const headers = HEADERS[status]
  return {
    description: codes.map(code => `\`${code}\``).join(', '),
    ...(headers === undefined ? {} : { headers }),
    content: { [JSON_TYPE]: { schema: ErrorAnswer } },
  }
}
