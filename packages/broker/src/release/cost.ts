// How long an expression can take at most, told before any part of it is evaluated. Steps are counted, those of a
// quantifier as often as its list can have elements. Two functions of the library take much longer than a step: the zone
// of a time, and a duration, which of a long text takes seconds; so both are asked for texts that are written out, and short.

import type { ASTNode } from '@marcbachmann/cel-js'
import { children, QUANTIFIERS } from './inspection.ts'
import { invalid } from './invalid.ts'

/** Some 100 ms; a rule that compares ten claims takes a hundred steps. */
const MAX_STEPS = 1_000_000
/** Of a list that is a claim: of advisories there are some 50. */
const ELEMENTS_OF_CLAIM = 64
const DURATION_STEPS = 100
const ZONE_STEPS = 500
/** The longest name of a time zone has 32 characters. */
const MAX_WRITTEN = 64

/** @throws {BrokerError} `rule-invalid` where it is too much, or is not known */
export function checkCost(ast: ASTNode): void {
  const steps = stepsOf(ast)
  if (steps > MAX_STEPS) {
    throw invalid(`can take ${steps} steps`, `at most ${MAX_STEPS}: shorter lists, or less for each element`)
  }
}

function stepsOf(node: ASTNode): number {
  if (node.op === 'rcall' && QUANTIFIERS.includes(node.args[0])) {
    const [, object, given] = node.args
    return stepsOf(object) + elementsOf(object) * sum(given, stepsOf)
  }
  const parts = 1 + sum(children(node.args), stepsOf)
  if (node.op === 'in') return parts + elementsOf(node.args[1])
  if (node.op === 'call') return parts + stepsOfCall(node.args)
  if (node.op === 'rcall') return parts + stepsOfMethod(node.args[0], node.args[2])
  return parts
}

function stepsOfCall([name, given]: readonly [string, readonly ASTNode[]]): number {
  if (name !== 'duration') return 0
  demandWritten(name, given)
  return DURATION_STEPS
}

/** Only what is asked of a time has a name that begins so; with an argument, it is the zone. */
function stepsOfMethod(name: string, given: readonly ASTNode[]): number {
  if (!name.startsWith('get') || given.length === 0) return 0
  demandWritten(name, given)
  return ZONE_STEPS
}

function demandWritten(name: string, given: readonly ASTNode[]): void {
  const isWritten = given.every(
    ({ op, args }) => op === 'value' && typeof args === 'string' && args.length <= MAX_WRITTEN,
  )
  if (!isWritten) {
    throw invalid(
      `calls ${name} with something else than a short text`,
      `a text that is written out, of at most ${MAX_WRITTEN} characters`,
    )
  }
}

/** No more than is written, and what the claims bring that are named in it. */
function elementsOf(list: ASTNode): number {
  if (list.op === 'id') return ELEMENTS_OF_CLAIM
  return list.op === 'value' ? 1 : 1 + sum(children(list.args), elementsOf)
}

function sum(nodes: readonly ASTNode[], count: (node: ASTNode) => number): number {
  return nodes.reduce((total, node) => total + count(node), 0)
}
