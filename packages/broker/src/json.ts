// Plain JSON as a type: what a document, a claim set or a ledger entry may be made of.

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** An object of plain JSON. */
export interface JsonObject {
  readonly [key: string]: JsonValue
}
