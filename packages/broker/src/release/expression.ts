// One release expression in CEL (cel-spec): declared variables, a checked type, and a bounded cost.
// The cost is bounded by what may be written, here in numbers, in inspection.ts by name and in cost.ts by what it takes.

import { RESULT_FIELDS } from '@casemate/appraisal'
import type { Environment } from '@marcbachmann/cel-js'
import type { JsonObject, JsonValue } from '../json.ts'
import { checkConstants } from './constants.ts'
import { checkCost } from './cost.ts'
import { inspect } from './inspection.ts'
import { firstLine, invalid } from './invalid.ts'
import { checkingEnvironment, evaluatingEnvironment } from './vocabulary.ts'

/** What an expression speaks about, as CEL values: integers are bigints. */
export interface ExpressionInput {
  readonly claims: CelValue
  readonly result: CelValue
  readonly secret: CelValue
  readonly now: Date
}

export type CelValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly CelValue[]
  | { readonly [key: string]: CelValue }

/** A checked expression. */
export interface Expression {
  /** True where it speaks about `secret`, so that its value differs between secrets. */
  readonly mentionsSecret: boolean
  /** Throws what CEL throws, e.g. for a claim that this kind of TEE does not have. */
  readonly evaluate: (input: ExpressionInput) => boolean
}

/** Longest expression, in characters: the API's schema says the same. */
export const MAX_EXPRESSION_CHARS = 4096
const LIMITS = {
  maxAstNodes: 256,
  maxDepth: 32,
  maxListElements: 128,
  maxMapEntries: 32,
  maxCallArguments: 4,
}
const EVALUATING = evaluatingEnvironment(LIMITS)
const CHECKING = checkingEnvironment(LIMITS)

/** Parses and typechecks. @throws {BrokerError} `rule-invalid` */
export function compileExpression(text: string): Expression {
  if (text.length > MAX_EXPRESSION_CHARS) {
    throw invalid(`is ${text.length} characters long`, `at most ${MAX_EXPRESSION_CHARS}`)
  }
  const program = parse(EVALUATING, text)
  const { mentionsSecret } = inspect(program.ast)
  checkCost(program.ast)
  const type = typeOf(parse(CHECKING, text))
  // The evaluator has fewer types to go by, and refuses little that the checker lets pass.
  typeOf(program)
  if (type !== 'bool') throw invalid(`is of type ${type}`, 'bool; compare it with something')
  checkConstants(EVALUATING, program.ast)
  return {
    mentionsSecret,
    evaluate: input => {
      const value: unknown = program(input)
      if (typeof value !== 'boolean') throw new TypeError('the expression did not give a boolean')
      return value
    },
  }
}

/** JSON as CEL sees it: whole numbers become bigints, CEL's int. */
export function toCel(value: JsonValue): CelValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(toCel)
  return withCelMembers(value as JsonObject)
}

/** The same object where nothing in it is a number, as in most of an explanation: it is not copied then. */
function withCelMembers(value: JsonObject): CelValue {
  let copy: Record<string, CelValue> | null = null
  for (const name in value) {
    const member = value[name] ?? null
    const read = toCel(member)
    if (read === member) continue
    copy ??= { ...value }
    copy[name] = read
  }
  return copy ?? value
}

/** What rules see of an attestation's explanation: its claims, and of its result the declared members alone. */
export function subjectOf(explanation: JsonObject): { readonly claims: CelValue; readonly result: CelValue } {
  const { claims = null, result = null } = explanation
  const declared: Record<string, JsonValue> = {}
  if (typeof result === 'object' && result !== null) {
    const members = result as JsonObject
    for (const name of DECLARED) if (Object.hasOwn(members, name)) declared[name] = members[name] ?? null
  }
  return { claims: toCel(claims), result: toCel(declared) }
}

const DECLARED = Object.keys(RESULT_FIELDS)

type Program = ReturnType<Environment['parse']>

function parse(environment: Environment, text: string): Program {
  try {
    return environment.parse(text)
  } catch (error) {
    throw invalid(firstLine(error), 'a CEL expression', { cause: error })
  }
}

/** @throws {BrokerError} `rule-invalid` where it does not check */
function typeOf(program: Program): string {
  const { valid, type = 'dyn', error } = program.check()
  if (!valid)
    throw invalid(firstLine(error), 'an expression over claims, result, secret and now', { cause: error })
  return type.replace('vocabulary.', '')
}
