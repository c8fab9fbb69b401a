// Whether a tree of elements is what the schema says: plain recursion over the text of assembly/schema.ts.

import { type ComplexType, type Particle, TYPES } from './schema.ts'
import { isSimple } from './simple.ts'
import type { Node } from './xml.ts'

/** Of `Document`, with all below. */
export function isValidDocument(document: Node): boolean {
  return isComplex(document, 'Document')
}

function isComplex(node: Node, name: string): boolean {
  const type = TYPES.get(name)
  if (type === undefined || node.currency !== null) return false
  if (node.hasText) return false
  return type.isChoice ? isChosen(node, type) : isSequence(node, type)
}

function isChosen(node: Node, type: ComplexType): boolean {
  const [only, ...others] = node.children
  const particle = type.particles.find(item => item.name === only?.name)
  return only !== undefined && others.length === 0 && particle !== undefined && isOf(only, particle)
}

function isSequence(node: Node, type: ComplexType): boolean {
  let at = 0
  for (const particle of type.particles) {
    let times = 0
    let child = node.children[at]
    while (
      child !== undefined &&
      (child.name === particle.name || particle.name === '*') &&
      times < particle.max
    ) {
      if (!isOf(child, particle)) return false
      times++
      child = node.children[++at]
    }
    if (times < particle.min) return false
  }
  return at === node.children.length
}

function isOf(node: Node, particle: Particle): boolean {
  if (particle.name === '*') return true
  if (!node.isOfMessage) return false
  if (TYPES.has(particle.type)) return isComplex(node, particle.type)
  const isAmount = particle.type === 'amount'
  if (isAmount !== (node.currency !== null) || node.children.length > 0) return false
  if (node.currency !== null && !/^[A-Z]{3}$/.test(node.currency)) return false
  return isSimple(particle.type, node.text)
}
