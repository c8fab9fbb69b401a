// What an expression may name, with the type of each name: tables that the compiler holds to the types of what they
// describe. From them come the environment that checks, the one that evaluates, and the nearest name for a misspelt one.

import { RESULT_FIELDS } from '@casemate/appraisal'
import { CLAIM_FIELDS, type Field, type Fields, nearest } from '@casemate/evidence'
import { type ASTNode, Environment } from '@marcbachmann/cel-js'

const SECRET_FIELDS = { repository: 'string', type: 'string', tag: 'string', version: 'int' } as const

const VARIABLES = { claims: CLAIM_FIELDS, result: RESULT_FIELDS, secret: SECRET_FIELDS } as const

const TIMESTAMP = 'google.protobuf.Timestamp'

type Limits = NonNullable<NonNullable<ConstructorParameters<typeof Environment>[0]>['limits']>

/** Evaluates: what may be null, and what only some kinds have, is dynamic. */
export function evaluatingEnvironment(limits: Limits): Environment {
  const environment = new Environment({ limits })
  for (const [name, fields] of Object.entries(VARIABLES)) {
    const schema = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, looseType(field)]))
    environment.registerVariable({ name, schema })
  }
  return environment.registerVariable('now', TIMESTAMP)
}

/** Checks, and never evaluates: every field has its type, however deep. */
export function checkingEnvironment(limits: Limits): Environment {
  const environment = new Environment({ limits })
  for (const [name, fields] of Object.entries(VARIABLES)) {
    environment.registerVariable(name, registerFields(environment, `vocabulary.${name}`, fields))
  }
  // What may be null is compared with null; compared with anything else, it is what its type says.
  for (const scalar of ['string', 'int', 'bool']) compareWithNull(environment, scalar)
  return environment.registerVariable('now', TIMESTAMP)
}

/** A path that leads to no name, and the nearest that is one. */
export interface UnknownName {
  readonly path: string
  readonly near: string | null
}

/** Whether the node is a path, and one that leads nowhere; null otherwise. */
export function unknownName(node: ASTNode): UnknownName | null {
  const path = pathOf(node)
  let field: Field | undefined = VARIABLES
  for (const [depth, name] of (path ?? []).entries()) {
    const members = membersOf(field)
    // Variables are the checker's: quantifiers declare some of their own.
    if (members === null || (depth === 0 && !Object.hasOwn(members, name))) return null
    if (!Object.hasOwn(members, name)) {
      const before = (path ?? []).slice(0, depth)
      return { path: [...before, name].join('.'), near: nearestPath(name, before, members) }
    }
    field = members[name]
  }
  return null
}

function nearestPath(name: string, before: readonly string[], members: Fields): string | null {
  const near = nearest(name, Object.keys(members))
  if (near !== null) return [...before, near].join('.')
  // `claims.mrTd` is a claim by its right name, in the wrong place.
  const [variable = ''] = before
  return pathsOf(VARIABLES).find(path => path.startsWith(`${variable}.`) && path.endsWith(`.${name}`)) ?? null
}

/** Every path that an expression may name, e.g. `claims.tdx.rtmr0`. */
export function pathsOf(fields: Fields): readonly string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const members = membersOf(field)
    return members === null ? [name] : [name, ...pathsOf(members).map(path => `${name}.${path}`)]
  })
}

/** The members of an object; null where the field has none, or is a list of objects. */
function membersOf(field: Field | undefined): Fields | null {
  if (field === undefined || typeof field === 'string' || isList(field)) return null
  return isNullable(field) ? field.orNull : field
}

function isNullable(field: Field): field is { readonly orNull: Fields } {
  return typeof field !== 'string' && 'orNull' in field && typeof field['orNull'] === 'object'
}

function isList(field: Field): field is { readonly listOf: Fields } {
  return typeof field !== 'string' && 'listOf' in field && typeof field['listOf'] === 'object'
}

/** `claims.tdx.rtmr0` and `claims["tdx"].rtmr0` as names; null for what is no such path. */
function pathOf(node: ASTNode): readonly string[] | null {
  if (node.op === 'id') return [node.args]
  if (node.op !== '.' && node.op !== '[]') return null
  const [object, member] = node.args
  const name = typeof member === 'string' ? member : member.op === 'value' ? member.args : null
  const before = pathOf(object)
  return before === null || typeof name !== 'string' ? null : [...before, name]
}

function looseType(field: Field): string {
  if (typeof field === 'string') return field.endsWith('?') ? 'dyn' : field
  if (isList(field)) return 'list<dyn>'
  return isNullable(field) ? 'dyn' : 'map'
}

/** @returns the name of the type */
function registerFields(environment: Environment, name: string, fields: Fields): string {
  const types = Object.entries(fields).map(([key, field]): [string, string] => {
    if (typeof field === 'string') return [key, field.replace('?', '')]
    const own = `${name}.${key.replaceAll('-', '_')}`
    if (isList(field)) return [key, `list<${registerFields(environment, own, field.listOf)}>`]
    const type = registerFields(environment, own, membersOf(field) ?? {})
    if (isNullable(field)) compareWithNull(environment, type)
    return [key, type]
  })
  environment.registerType(name, { fields: Object.fromEntries(types) })
  return name
}

function compareWithNull(environment: Environment, type: string): void {
  environment.registerOperator(`${type} == null`, () => {
    throw new TypeError('the checking environment does not evaluate')
  })
}
