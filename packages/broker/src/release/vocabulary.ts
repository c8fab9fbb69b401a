// The names that an expression may use, with the type of each: tables that the compiler holds to the types of what they
// describe. From them come the environment that checks, the one that evaluates, and the nearest name for a misspelt one.

import { RESULT_FIELDS } from '@casemate/appraisal'
import { CLAIM_FIELDS, type Field, type Fields, nearest } from '@casemate/evidence'
import { type ASTNode, Environment } from '@marcbachmann/cel-js'

const SECRET_FIELDS = { repository: 'string', type: 'string', tag: 'string', version: 'int' } as const

export const VARIABLES = { claims: CLAIM_FIELDS, result: RESULT_FIELDS, secret: SECRET_FIELDS } as const

const TIMESTAMP = 'google.protobuf.Timestamp'

type Limits = NonNullable<NonNullable<ConstructorParameters<typeof Environment>[0]>['limits']>

/** Evaluates: what may be null, and what only some kinds have, is dynamic. */
export function evaluatingEnvironment(limits: Limits): Environment {
  // To it a claim that may be null is of another type than a text: lists of both are the checking environment's matter.
  const environment = new Environment({ limits, homogeneousAggregateLiterals: false })
  for (const [name, fields] of Object.entries(VARIABLES)) {
    const schema = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, looseType(field)]))
    environment.registerVariable({ name, schema })
  }
  return environment.registerVariable('now', TIMESTAMP)
}

/** Checks, and never evaluates: every field has its type, however deep. */
export function checkingEnvironment(limits: Limits): Environment {
  const environment = new Environment({ limits })
  const types: Types = { environment, named: new Map() }
  for (const [name, fields] of Object.entries(VARIABLES)) {
    environment.registerVariable(name, registerFields(types, `vocabulary.${name}`, fields))
  }
  // A name that may be null can be compared with null; in any other comparison it has its type.
  for (const scalar of ['string', 'int', 'bool']) compare(environment, scalar, 'null')
  return environment.registerVariable('now', TIMESTAMP)
}

/** A path that leads to no name, and the nearest that is one. */
export interface UnknownName {
  readonly path: string
  readonly near: string | null
}

/** The names that stand for something at one place of an expression; undefined where nothing is known of one. */
export interface Scope {
  readonly [name: string]: Field | undefined
}

/** Whether the node is a path, and one that leads nowhere; null otherwise. */
export function unknownName(node: ASTNode, scope: Scope): UnknownName | null {
  const path = pathOf(node) ?? []
  const { known, members } = follow(path, scope)
  const name = path[known]
  // An unknown variable is the checker's, and so is a member of what has none.
  if (name === undefined || known === 0 || members === null) return null
  const before = path.slice(0, known)
  return { path: written([...before, name]), near: nearestPath(name, before, members) }
}

/** Whether the node is a path of declared names to its end. */
export function isName(node: ASTNode, scope: Scope): boolean {
  const path = pathOf(node)
  return path !== null && follow(path, scope).field !== undefined
}

/** Whether the node names a member of an object by an expression. */
export function isComputedName(node: ASTNode, scope: Scope): boolean {
  if (node.op !== '[]' || node.args[1].op === 'value') return false
  const path = pathOf(node.args[0])
  return path !== null && membersOf(follow(path, scope).field) !== null
}

/** The type of an element of the list that the node names; undefined if it names no list. */
export function elementOf(node: ASTNode, scope: Scope): Field | undefined {
  const path = pathOf(node)
  const field = path === null ? undefined : follow(path, scope).field
  return field !== undefined && isList(field) ? field.listOf : undefined
}

interface Followed {
  /** How many names of the path are declared. */
  readonly known: number
  /** Where the whole path leads; undefined where it does not, or to what nothing is known of. */
  readonly field: Field | undefined
  /** The names that are declared beside the first one that is not; null if there are none. */
  readonly members: Fields | null
}

function follow(path: readonly string[], scope: Scope): Followed {
  const [variable = '', ...names] = path
  if (!Object.hasOwn(scope, variable)) return { known: 0, field: undefined, members: null }
  let field = scope[variable]
  for (const [depth, name] of names.entries()) {
    const members = membersOf(field)
    if (members === null || !Object.hasOwn(members, name)) {
      return { known: depth + 1, field: undefined, members }
    }
    field = members[name]
  }
  return { known: path.length, field, members: null }
}

/** As an expression has it: `result.trustVector["instance-identity"]`. */
function written(path: readonly string[]): string {
  return path.reduce((before, name) => {
    if (!/^\w+$/.test(name)) return `${before}[${JSON.stringify(name)}]`
    return before === '' ? name : `${before}.${name}`
  }, '')
}

function nearestPath(name: string, before: readonly string[], members: Fields): string | null {
  const near = nearest(name, Object.keys(members))
  if (near !== null) return written([...before, near])
  // `claims.mrTd` is a claim by its right name, in the wrong place.
  const [variable = ''] = before
  return pathsOf(VARIABLES).find(path => path.startsWith(`${variable}.`) && path.endsWith(`.${name}`)) ?? null
}

/** Every path that an expression may name, e.g. `claims.tdx.rtmr0`. */
export function pathsOf(fields: Fields, before: readonly string[] = []): readonly string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = [...before, name]
    return [written(path), ...pathsOf(membersOf(field) ?? {}, path)]
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

/** Types by the fields that they have: the four TCBs of a report are of one type, and can be compared. */
interface Types {
  readonly environment: Environment
  readonly named: Map<Fields, string>
}

/** @returns the name of the type */
function registerFields(types: Types, name: string, fields: Fields): string {
  const { environment, named } = types
  const registered = named.get(fields)
  if (registered !== undefined) return registered
  const members = Object.entries(fields).map(([key, field]): [string, string] => {
    if (typeof field === 'string') return [key, field.replace('?', '')]
    const own = `${name}.${key.replaceAll('-', '_')}`
    if (isList(field)) return [key, `list<${registerFields(types, own, field.listOf)}>`]
    const type = registerFields(types, own, membersOf(field) ?? {})
    if (isNullable(field)) compare(environment, type, 'null')
    return [key, type]
  })
  environment.registerType(name, { fields: Object.fromEntries(members) })
  compare(environment, name, name)
  named.set(fields, name)
  return name
}

function compare(environment: Environment, type: string, other: string): void {
  environment.registerOperator(`${type} == ${other}`, () => {
    throw new TypeError('the checking environment does not evaluate')
  })
}
