// Optimistic concurrency (RFC 9110, 13.1): the ETag is the revision; `If-Match` and `If-None-Match: *` say what a
// change was made from.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { BrokerError } from '../errors.ts'
import type { Precondition } from '../store/store.ts'

const ETAG = /^"(\d{1,15})"$/

export function etag(revision: number): string {
  return `"${revision}"`
}

/** @throws {BrokerError} `request-malformed` for headers that say something else, `precondition-failed` for both */
export function readPrecondition({ headers }: FastifyRequest): Precondition {
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    // Something has to be stored there, and nothing must be.
    throw new BrokerError('precondition-failed', 'If-Match and If-None-Match exclude one another')
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === '*') return 'none'
    throw new BrokerError('request-malformed', 'If-None-Match of a change can only be *', { expected: '*' })
  }
  return ifMatch === undefined ? 'any' : readMatch(ifMatch)
}

function readMatch(ifMatch: string): Precondition {
  if (ifMatch === '*') return 'some'
  const [, revision] = ETAG.exec(ifMatch) ?? []
  if (revision !== undefined) return Number(revision)
  // Whatever else is sent there, nothing stored has it as its ETag.
  throw new BrokerError('precondition-failed', 'If-Match is not one strong entity tag of ours', {
    expected: '"42" or *',
  })
}

/** Sets the ETag; true where the reader has this revision already and 304 says it all. */
export function isUnchanged(request: FastifyRequest, reply: FastifyReply, revision: number): boolean {
  reply.header('etag', etag(revision))
  return request.headers['if-none-match'] === etag(revision)
}

/** To be returned by the handler: the answer has no body, and no schema. */
export function notModified(reply: FastifyReply): never {
  return reply.code(304).send() as never
}
