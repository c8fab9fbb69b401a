// TypeBox schemas as Fastify's validators: nothing is dropped, filled in or coerced in a body; a query's text becomes
// the number or boolean that its schema names. What is wrong is said with path, expected and got.

import type { FastifySchemaCompiler } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { BrokerError } from '../errors.ts'
import { schemaViolations } from './schema-violations.ts'

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (value: unknown) => {
    const read = httpPart === 'body' ? value : readTexts(schema, value)
    if (validator.Check(read)) return { value: read }
    return { error: malformed(httpPart ?? 'body', schema, read) }
  }
}

/** For routes whose body is not checked here: octets, or a document with a parser that lists its problems better. */
export const compileAllButBody: FastifySchemaCompiler<TSchema> = route =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : compileValidator(route)

/** Whole numbers of a query or path, where the schema wants them; everything else stays the text that it is. */
function readTexts(schema: TSchema, value: unknown): unknown {
  if (!Type.IsObject(schema) || typeof value !== 'object' || value === null) return value
  const read = Object.entries(value).map(([name, text]: [string, unknown]) => {
    const property = schema.properties[name]
    const isNumber = property !== undefined && Type.IsInteger(property)
    return [name, isNumber && typeof text === 'string' && INTEGER.test(text) ? Number(text) : text]
  })
  return Object.fromEntries(read)
}

const INTEGER = /^(0|[1-9]\d{0,15})$/

function malformed(part: string, schema: TSchema, value: unknown): BrokerError {
  const violations = schemaViolations(schema, value, part)
  const [first] = violations
  const { expected, got, hint } = first ?? {}
  return new BrokerError('request-malformed', `${first?.path ?? part} is not as the API describes it`, {
    expected,
    got,
    hint,
    violations,
  })
}
