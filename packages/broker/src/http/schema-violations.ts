// Tells the author of a value what is wrong with it by a schema: an unknown member by its own name, with the one that was
// probably meant, a missing one by its own, and the values of a choice spelt out.

import { nearest } from '@casemate/evidence'
import type { TSchema } from 'typebox'
import { Errors, Pointer } from 'typebox/value'
import type { Violation } from '../errors.ts'

/** Further ones would repeat the same mistake. */
const MAX_VIOLATIONS = 16

/** Longest part of a rejected value that is shown. */
const MAX_SHOWN = 64

/** Longest name of an unknown member that is shown. */
const MAX_NAME = 64

type SchemaError = ReturnType<typeof Errors>[number]

/** The violations; `root` is what paths begin with, e.g. `body`, or empty. */
export function schemaViolations(schema: TSchema, value: unknown, root: string): readonly Violation[] {
  const found = Errors(schema, value).flatMap(error => violationsOf(error, schema, value))
  return found.slice(0, MAX_VIOLATIONS).map(one => ({ ...one, path: joined(root, one.path) }))
}

function joined(root: string, path: string): string {
  return root === '' ? path.replace(/^\//, '') : root + path
}

function violationsOf(error: SchemaError, schema: TSchema, value: unknown): readonly Violation[] {
  const path = error.instancePath
  // Each additional property meets a `false` schema of its own. Their parent would sum them up after the last, but the
  // library stops after a few errors.
  if (error.keyword === 'additionalProperties') return []
  if (error.keyword === 'boolean') {
    const parent = error.schemaPath.replace(/\/additionalProperties$/, '')
    return [unknownMember(path, Object.keys(propertiesAt(schema, parent)))]
  }
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map(name => ({
      path: `${path}/${name}`,
      expected: 'must be there',
      got: 'nothing',
    }))
  }
  const got = valueAt(value, path)
  return [{ path, expected: expectedOf(error, schema), got: show(got), ...meantOf(error, got) }]
}

function expectedOf(error: SchemaError, schema: TSchema): string {
  // Nobody reads a pattern: its schema says in words what it means.
  if (error.keyword === 'pattern') return wordsAt(schema, error.schemaPath) ?? error.message
  if (error.keyword !== 'enum') return error.message
  return `must be one of ${error.params.allowedValues.map(one => JSON.stringify(one)).join(', ')}`
}

/** Of a choice of words, the one that was probably meant. */
function meantOf(error: SchemaError, got: unknown): Pick<Violation, 'hint'> {
  if (error.keyword !== 'enum' || typeof got !== 'string') return {}
  const words = error.params.allowedValues.filter(one => typeof one === 'string')
  const meant = nearest(got, words)
  return meant === null ? {} : { hint: `did you mean ${meant}?` }
}

function wordsAt(schema: TSchema, schemaPath: string): string | null {
  const words = valueAt(schema, `${schemaPath.replace(/^#/, '')}/description`)
  return typeof words === 'string' ? words : null
}

function unknownMember(pointer: string, known: readonly string[]): Violation {
  const end = pointer.lastIndexOf('/')
  const name = pointer
    .slice(end + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
  const meant = nearest(name, known)
  return {
    path: `${pointer.slice(0, end)}/${name.slice(0, MAX_NAME)}`,
    expected: known.length === 0 ? 'must not be there' : `one of ${known.join(', ')}`,
    got: 'an unknown field',
    ...(meant === null ? {} : { hint: `did you mean ${meant}?` }),
  }
}

function propertiesAt(schema: TSchema, schemaPath: string): object {
  const found: unknown = Pointer.Get(schema, schemaPath.replace(/^#/, ''))
  const properties: unknown =
    typeof found === 'object' && found !== null ? Reflect.get(found, 'properties') : null
  return typeof properties === 'object' && properties !== null ? properties : {}
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
