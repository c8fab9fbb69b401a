// Schemas under names: whatever has a title is said once, in the components of the description, and referred to
// elsewhere. A title that two different schemas bear is a mistake in the source.

import { isDeepStrictEqual } from 'node:util'

type Node = Record<string, unknown>

/** The part as it refers to named schemas; they are added to `named`. */
export function liftNamed(part: unknown, named: Map<string, unknown>): unknown {
  if (Array.isArray(part)) return part.map(each => liftNamed(each, named))
  if (typeof part !== 'object' || part === null) return part
  const lifted: Node = Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, liftNamed(value, named)]),
  )
  const { title, ...schema } = lifted
  // Beside `type`, it is a schema; a property of that name is a schema itself.
  if (typeof title !== 'string' || !('type' in schema || 'anyOf' in schema)) return lifted
  const known = named.get(title)
  if (known !== undefined && !isDeepStrictEqual(known, schema)) {
    throw new TypeError(`two schemas are called ${title}`)
  }
  named.set(title, schema)
  return { $ref: `#/components/schemas/${title}` }
}

/** Without what TypeBox keeps for itself. */
export function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value))
}
