// Shapes that several routes of /v1 share. TypeBox: one source of validation, types and OpenAPI.

import { type TSchema, Type } from 'typebox'
import { SEGMENT_PATTERN, SEGMENT_WORDS } from '../secret-path.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from './paging.ts'

const CLOSED = { additionalProperties: false }

export const Time = Type.String({ format: 'date-time', pattern: '^\\d{4}-\\d\\d-\\d\\dT', maxLength: 40 })

/** RFC 3339 with a zone, as it is read: seconds may be left out. */
export const TIME_PATTERN =
  '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)$'

/** A time that somebody sends. */
export const TypedTime = Type.String({
  pattern: TIME_PATTERN,
  description: 'RFC 3339, e.g. 2026-11-22T12:00:00Z',
})

export const AnyObject = Type.Record(Type.String(), Type.Unknown())

export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${DEFAULT_LIMIT}` }),
    ),
    cursor: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,1024}$', description: '`next` of the page before' }),
    ),
  },
  CLOSED,
)

/** `title` of one item, `Page` after it. */
export function pageOf<Item extends TSchema>(item: Item) {
  const next = Type.Union([Type.String(), Type.Null()], {
    description: 'cursor of the page after; null at the end',
  })
  return Type.Object({ items: Type.Array(item), next }, { title: `${titleOf(item)}Page` })
}

function titleOf(schema: TSchema): string {
  return 'title' in schema && typeof schema.title === 'string' ? schema.title : ''
}

/** Text, or null where there is none. */
export const NullableText = Type.Union([Type.String(), Type.Null()])

export const NullableTime = Type.Union([Time, Type.Null()])

/** What a change is made from: `preconditions.ts` reads them. */
export const ChangeHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'the ETag that the change was made from; * for any' }),
  ),
  'if-none-match': Type.Optional(Type.Enum(['*'], { description: '*: nothing must be stored there yet' })),
})

/** For a reader that has a revision already. */
export const ReadHeaders = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'the ETag of the revision that one has' })),
})

/** A name, or a segment of a path. */
const Segment = Type.String({ pattern: SEGMENT_PATTERN, description: SEGMENT_WORDS })

/** Name of a policy, reference-value document or rule. */
export const NamePath = Type.Object({ name: Segment }, CLOSED)

export const IdPath = Type.Object(
  { id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'an id as lists show it' }) },
  CLOSED,
)

export const SecretPathParameters = Type.Object(
  {
    repository: Segment,
    type: Segment,
    tag: Segment,
  },
  CLOSED,
)

export const LedgerIndex = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** Raw octets: a body that is not JSON. */
export const Octets = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' })

/** An empty body, or none, is an empty secret only by mistake. */
export const SomeOctets = Type.Unsafe<Uint8Array>({
  type: 'string',
  format: 'binary',
  minLength: 1,
  description:
    'the secret, octet for octet, whatever the content type says: JSON and forms are not unwrapped',
})

/** What every deletion answers. */
export const Deleted = Type.Object({ ledgerIndex: LedgerIndex }, { title: 'Recorded' })
