// Plain JSON as a type is the ledger's: a document, a claim set or a record becomes an entry, or a part of one.
export type { JsonObject, JsonValue } from '@casemate/ledger'
