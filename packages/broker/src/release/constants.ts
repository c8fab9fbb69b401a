// The parts of an expression that depend on nothing are evaluated when it is saved: `duration("30d")` and the hours of an
// unknown time zone are of the right type, and would fail on every fetch.

import { type ASTNode, type Environment, serialize } from '@marcbachmann/cel-js'
import { children } from './inspection.ts'
import { firstLine, invalid } from './invalid.ts'

/** A time of which anything that can be asked of one is asked. */
const SOME_TIME = 'timestamp("2026-01-01T00:00:00Z")'

/** @throws {BrokerError} `rule-invalid` where one fails */
export function checkConstants(environment: Environment, node: ASTNode): void {
  if (node.op === 'value' || node.op === 'id') return
  if (isConstant(node)) {
    const text = serialize(node)
    attempt(environment, text, text)
    return
  }
  if (node.op === 'rcall' && node.args[0].startsWith('get')) {
    const [name, , zone] = node.args
    if (zone.length > 0 && zone.every(isConstant)) {
      const text = `${name}(${zone.map(serialize).join(', ')})`
      attempt(environment, `${SOME_TIME}.${text}`, text)
    }
  }
  for (const part of children(node.args)) checkConstants(environment, part)
}

function isConstant(node: ASTNode): boolean {
  return node.op === 'value' || (node.op !== 'id' && children(node.args).every(isConstant))
}

function attempt(environment: Environment, text: string, shown: string): void {
  let evaluate: ReturnType<Environment['parse']>
  try {
    evaluate = environment.parse(text)
  } catch {
    // The library does not write every number and text as it reads them; such a part is left to its evaluation.
    return
  }
  try {
    evaluate({})
  } catch (error) {
    const expected = 'a value, as in duration("720h") or timestamp("2026-01-01T00:00:00Z")'
    throw invalid(`${shown.slice(0, 200)} always fails: ${firstLine(error)}`, expected, { cause: error })
  }
}
