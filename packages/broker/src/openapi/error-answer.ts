// The shape of every answer that is not a success. The KBS protocol has one of its own.

import { Type } from 'typebox'
import { BROKER_ERRORS } from '../errors.ts'

export const Violation = Type.Object(
  {
    path: Type.String(),
    expected: Type.String(),
    got: Type.String(),
    hint: Type.Optional(Type.String()),
  },
  { title: 'Violation' },
)

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
  { title: 'Error', description: 'What went wrong: codes are stable, messages are not.' },
)
