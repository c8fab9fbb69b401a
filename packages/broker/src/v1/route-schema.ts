// What every route of /v1 tells the API description: its group, one line, and the shape of errors.

import type { TSchema } from 'typebox'

/** `ErrorAnswer`, by the name under which src/v1/openapi.ts adds it. */
const ERROR_REFERENCE = { $ref: 'Error#' } as const

/** Parts of a route's schema that are its own. */
interface OwnSchema {
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly body?: TSchema
  readonly consumes?: string[]
  readonly produces?: string[]
  readonly response: Readonly<Record<number, TSchema>>
}

export function describeRoute<const Own extends OwnSchema>(group: string, summary: string, own: Own) {
  return { ...own, tags: [group], summary, response: { ...own.response, default: ERROR_REFERENCE } }
}
