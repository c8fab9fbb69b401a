// Shapes that several routes of /v1 share. TypeBox: one source of validation, types and OpenAPI.

import { type TSchema, Type } from 'typebox'
import { BROKER_ERRORS } from '../errors.ts'
import { SEGMENT_PATTERN } from '../secrets/secret-path.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from './paging.ts'

const CLOSED = { additionalProperties: false }

export const Time = Type.String({ format: 'date-time', pattern: '^\\d{4}-\\d\\d-\\d\\dT', maxLength: 40 })

export const AnyObject = Type.Record(Type.String(), Type.Unknown())

export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${DEFAULT_LIMIT}` }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 1024, description: '`next` of the page before' })),
  },
  CLOSED,
)

export function pageOf(item: TSchema) {
  return Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) })
}

/** Name of a policy, reference-value document or rule. */
export const NamePath = Type.Object({ name: Type.String({ pattern: SEGMENT_PATTERN }) }, CLOSED)

export const IdPath = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) }, CLOSED)

export const SecretPathParameters = Type.Object(
  {
    repository: Type.String({ pattern: SEGMENT_PATTERN }),
    type: Type.String({ pattern: SEGMENT_PATTERN }),
    tag: Type.String({ pattern: SEGMENT_PATTERN }),
  },
  CLOSED,
)

export const LedgerIndex = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** Raw octets: a body that is not JSON. */
export const Octets = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' })

const Violation = Type.Object({
  path: Type.String(),
  expected: Type.String(),
  got: Type.String(),
  hint: Type.Optional(Type.String()),
})

/** Every answer that is not a success. */
export const ErrorAnswer = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ enum: Object.keys(BROKER_ERRORS) }),
      message: Type.String(),
      expected: Type.Optional(Type.String()),
      got: Type.Optional(Type.String()),
      hint: Type.Optional(Type.String()),
      violations: Type.Optional(Type.Array(Violation)),
    }),
  },
  { $id: 'Error', description: 'What went wrong: codes are stable, messages are not.' },
)

/** What every deletion answers. */
export const Deleted = Type.Object({ ledgerIndex: LedgerIndex })
