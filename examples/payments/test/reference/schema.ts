// The schema's text as an object, for the reference alone: the enclave reads the same text by code of its own.
import { SCHEMA } from '../../assembly/schema.ts'

export interface Particle {
  readonly name: string
  readonly type: string
  readonly min: number
  readonly max: number
}

export interface ComplexType {
  readonly isChoice: boolean
  readonly particles: readonly Particle[]
}

export const TYPES: ReadonlyMap<string, ComplexType> = new Map(SCHEMA.trim().split('\n').map(parseLine))

function parseLine(line: string): [string, ComplexType] {
  const match = /^(\w+)([:|]) (.*)$/.exec(line)
  const [, name = '', sign = '', rest = ''] = match ?? []
  return [name, { isChoice: sign === '|', particles: rest.split(' ').map(parseParticle) }]
}

function parseParticle(text: string): Particle {
  const match = /^(\w+|\*)(?:#\w+)?(?:@\w+)?=(.+?)(\?|\*|\+|\{\d+\})?$/.exec(text)
  const [, name = '', type = '', times = ''] = match ?? []
  const max = times === '*' || times === '+' ? Number.POSITIVE_INFINITY : Number(/\d+/.exec(times)?.[0] ?? 1)
  return { name, type, min: times === '' || times === '+' ? 1 : 0, max }
}
