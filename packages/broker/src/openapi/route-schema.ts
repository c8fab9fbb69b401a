// The part of the API description that each route gives itself: its group, its name, one line, and the errors of its own.
// Fastify reads the schemas in it, document.ts the rest.

import type { TSchema } from 'typebox'
import type { BrokerErrorCode } from '../errors.ts'

/** Parts of a route's schema that are its own. */
interface OwnSchema {
  /** The operation's name for generated clients; unique. */
  readonly operationId: string
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly headers?: TSchema
  readonly body?: TSchema
  readonly consumes?: string[]
  readonly produces?: string[]
  readonly response: Readonly<Record<number, TSchema>>
  /** Described in place of `response`, if the answer is served unchecked. */
  readonly described?: Readonly<Record<number, TSchema>>
  /** Beside those that follow from access, parameters and body. */
  readonly errors?: readonly BrokerErrorCode[]
  /** True where a success carries the ETag of what it is about. */
  readonly tagged?: boolean
}

/** What the description has of a route. */
export interface DescribedSchema extends OwnSchema {
  readonly tags: readonly string[]
  readonly summary: string
}

export function describeRoute<const Own extends OwnSchema>(group: string, summary: string, own: Own) {
  return { ...own, tags: [group], summary }
}
