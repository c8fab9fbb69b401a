// Reading SQLite rows with types: a column that is not what the schema says is damage, not a default.

import type { Row } from '@casemate/ledger/node'
import { StartError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

export type { Row } from '@casemate/ledger/node'

export function text(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : damaged(column, 'text')
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : damaged(column, 'an integer')
}

export function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column)
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column]
  return value instanceof Uint8Array ? value : damaged(column, 'a blob')
}

export function date(row: Row, column: string): Date {
  return new Date(integer(row, column))
}

export function dateOrNull(row: Row, column: string): Date | null {
  return row[column] === null ? null : date(row, column)
}

/** One of the listed words. */
export function word<T extends string>(row: Row, column: string, words: readonly T[]): T {
  const value = row[column]
  return words.find(candidate => candidate === value) ?? damaged(column, words.join(' | '))
}

export function jsonObject(row: Row, column: string): JsonObject {
  return JSON.parse(text(row, column)) as JsonObject
}

function damaged(column: string, expected: string): never {
  throw new StartError('database-damaged', `column ${column} does not hold ${expected}`)
}
