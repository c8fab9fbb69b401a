// The explanation of a verdict, for the API description. What is served was stored by whatever version decided, and is
// answered as it is.

import { Type } from '@fastify/type-provider-typebox'
import { AnyObject, NullableText, NullableTime } from './schemas.ts'

const Nullable = Type.Union([AnyObject, Type.Null()])

const Refusal = Type.Object(
  {
    code: Type.String({ description: 'of the verifier’s table' }),
    message: Type.String(),
    expected: NullableText,
    got: NullableText,
    hint: NullableText,
  },
  { title: 'Refusal' },
)

export const Explanation = Type.Object(
  {
    verdict: Type.Enum(['accepted', 'refused']),
    code: Type.Union([Type.String(), Type.Null()], { description: 'null when accepted' }),
    steps: Type.Array(Type.Object({ name: Type.String(), looked: Type.String() })),
    claims: Nullable,
    result: Type.Union([AnyObject, Type.Null()], { description: 'of the appraisal, with its violations' }),
    refusal: Type.Union([Refusal, Type.Null()]),
    validUntil: NullableTime,
  },
  { title: 'Explanation', description: 'Members that do not apply are null; there may be more.' },
)
