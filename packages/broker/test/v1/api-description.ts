// An OpenAPI document as tests read it.

export interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly responses: Readonly<Record<string, Response | Reference>>
}

interface Reference {
  readonly $ref: string
}

interface Response {
  readonly description: string
  readonly content?: Readonly<Record<string, unknown>>
}

export interface ApiDescription {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly required?: readonly string[] }>>
    readonly responses?: Readonly<Record<string, Response>>
  }
}

export function operationsOf({ paths }: ApiDescription) {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  )
}

/** What an operation says of one status. */
export interface Answer {
  readonly types: readonly string[]
  /** Of an error: those that it can have. */
  readonly codes: readonly string[]
}

export function answersOf(document: ApiDescription, { responses }: Operation): ReadonlyMap<number, Answer> {
  return new Map(
    Object.entries(responses).map(([status, response]) => {
      const { description, content = {} } = '$ref' in response ? resolve(document, response) : response
      const codes = Number(status) < 400 ? [] : description.split(', ').map(code => code.replaceAll('`', ''))
      return [
        Number(status),
        { types: Object.keys(content), codes: codes.filter(code => /^[a-z-]+$/.test(code)) },
      ]
    }),
  )
}

function resolve({ components }: ApiDescription, { $ref }: Reference): Response {
  const found = components.responses?.[$ref.replace('#/components/responses/', '')]
  if (found === undefined) throw new Error(`${$ref} is not there`)
  return found
}
