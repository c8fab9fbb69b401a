// Checks of an expression that the typechecker does not make. They bound its cost (cost.ts): quantifiers nested twice at
// most, no regular expressions (they backtrack), and no function that makes a longer value than it was given; a function that
// is not listed is refused. And they know each name: `has` of a misspelt one would be false for ever, and its negation true.

import { nearest } from '@casemate/evidence'
import type { ASTNode } from '@marcbachmann/cel-js'
import { BrokerError } from '../errors.ts'
import { invalid } from './invalid.ts'
import {
  elementOf,
  isComputedName,
  isName,
  type Scope,
  type UnknownName,
  unknownName,
  VARIABLES,
} from './vocabulary.ts'

const MAX_QUANTIFIER_DEPTH = 2

export const QUANTIFIERS: readonly string[] = ['all', 'exists', 'exists_one']
const FUNCTIONS: readonly string[] = [
  ...QUANTIFIERS,
  'has',
  'size',
  'contains',
  'startsWith',
  'endsWith',
  'lowerAscii',
  'int',
  'double',
  'string',
  'bool',
  'dyn',
  'timestamp',
  'duration',
  'getFullYear',
  'getMonth',
  'getDayOfMonth',
  'getDate',
  'getDayOfWeek',
  'getHours',
  'getMinutes',
]

/** The surroundings of a node: names that stand for something, and how many quantifiers. */
interface Surroundings {
  readonly scope: Scope
  readonly quantifiers: number
}

/**
 * Walks the tree, and says whether `secret` occurs in it.
 * @throws {BrokerError} `rule-invalid`
 */
export function inspect(ast: ASTNode): { readonly mentionsSecret: boolean } {
  return { mentionsSecret: mentions(ast, { scope: VARIABLES, quantifiers: 0 }) }
}

function mentions(node: ASTNode, around: Surroundings): boolean {
  if (node.op === 'id') return node.args === 'secret'
  if (node.op === 'value') return false
  const unknown = unknownName(node, around.scope)
  if (unknown !== null) throw noSuchName(unknown)
  if (isComputedName(node, around.scope)) {
    throw invalid('computes the name of a claim', 'each name as it is, as in claims.tdx.mrTd')
  }
  const within = node.op === 'call' || node.op === 'rcall' ? called(node, around) : around
  let found = false
  for (const child of children(node.args)) found = mentions(child, within) || found
  if (node.op === 'call' && node.args[0] === 'has') checkHas(node.args[1], around.scope)
  return found
}

/** @returns what is around the arguments */
function called(node: ASTNode & { readonly op: 'call' | 'rcall' }, around: Surroundings): Surroundings {
  const [name] = node.args
  if (!FUNCTIONS.includes(name)) {
    throw invalid(`calls ${name}`, `one of ${FUNCTIONS.join(', ')}`, { near: nearest(name, FUNCTIONS) })
  }
  if (!QUANTIFIERS.includes(name) || node.op === 'call') return around
  const quantifiers = around.quantifiers + 1
  if (quantifiers > MAX_QUANTIFIER_DEPTH)
    throw invalid('nests all and exists too deep', `${MAX_QUANTIFIER_DEPTH} levels`)
  const [, list, [variable]] = node.args
  const declared = variable?.op === 'id' ? { [variable.args]: elementOf(list, around.scope) } : {}
  return { scope: { ...around.scope, ...declared }, quantifiers }
}

function checkHas(asked: readonly ASTNode[], scope: Scope): void {
  if (asked.every(path => isName(path, scope))) return
  throw invalid('asks has of what is no name', 'a member by its name, as in has(claims.tdx)')
}

/** The nodes in the arguments of one. */
export function children(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(children)
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : []
}

function noSuchName({ path, near }: UnknownName): BrokerError {
  const hint = near === null ? 'docs/policies.md has the names that there are' : `did you mean: ${near}`
  return new BrokerError('rule-invalid', `expression: there is no ${path.slice(0, 200)}`, {
    expected: 'a name of a claim, of the result or of the secret',
    got: path.slice(0, 200),
    hint,
  })
}
