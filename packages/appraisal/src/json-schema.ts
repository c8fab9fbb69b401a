// The few keywords of JSON Schema (2020-12) that fields are described by. Data and nothing more: made whenever this package
// is loaded, so that it must cost little.

export type JsonSchema = Readonly<Record<string, unknown>>

/** An object's schema, whose properties another may take over. */
export interface ObjectSchema extends JsonSchema {
  readonly properties: Readonly<Record<string, JsonSchema>>
}

export function textOf(pattern: string): JsonSchema {
  return { type: 'string', pattern }
}

export function wordOf(word: string): JsonSchema {
  return { type: 'string', const: word }
}

export function anyOf(schemas: readonly JsonSchema[], keywords: JsonSchema = {}): JsonSchema {
  return { anyOf: schemas, ...keywords }
}

export function listOf(items: JsonSchema, keywords: JsonSchema): JsonSchema {
  return { type: 'array', items, ...keywords }
}

/** Without other properties than these. */
export function objectOf(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
  keywords: JsonSchema = {},
): ObjectSchema {
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties,
    additionalProperties: false,
    ...keywords,
  }
}
