// TypeBox schemas as Fastify's validators: nothing is dropped, filled in or coerced in a body; a query's text becomes
// the number or boolean that its schema names. What is wrong is said with path, expected and got.

import type { FastifySchemaCompiler } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Pointer } from 'typebox/value'
import { BrokerError, type Violation } from '../errors.ts'

/** Further ones would repeat the same mistake. */
const MAX_VIOLATIONS = 16

/** Longest part of a rejected value that is shown. */
const MAX_SHOWN = 64

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (value: unknown) => {
    const read = httpPart === 'body' ? value : readTexts(schema, value)
    if (validator.Check(read)) return { value: read }
    return { error: malformed(httpPart ?? 'body', validator.Errors(read), read) }
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

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
}

function malformed(part: string, errors: readonly SchemaError[], value: unknown): BrokerError {
  const violations: Violation[] = errors
    .filter(says)
    .slice(0, MAX_VIOLATIONS)
    .map(({ instancePath, message }) => ({
      path: `${part}${instancePath}`,
      expected: message,
      got: show(valueAt(value, instancePath)),
    }))
  const [first] = violations
  const detail = first === undefined ? {} : { expected: first.expected, got: first.got, violations }
  return new BrokerError('request-malformed', `${first?.path ?? part} is not as the API describes it`, detail)
}

/** `false` schemas stand for additional properties, of which their parent says more. */
function says({ keyword }: SchemaError): boolean {
  return keyword !== 'boolean'
}

function valueAt(value: unknown, pointer: string): unknown {
  try {
    return Pointer.Get(value, pointer)
  } catch {
    return undefined
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
