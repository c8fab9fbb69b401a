// Tables for a person, as kubectl prints them: capitals above columns, two blanks between, nothing drawn.

import { padTo, widthOf } from './width.ts'

/** Rows under their headings; `empty` where there are none. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string[] {
  if (rows.length === 0) return [empty]
  const all = [headings.map(heading => heading.toUpperCase()), ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map(row => widthOf(row[column] ?? ''))))
  return all.map(row =>
    row
      .map((cell, column) => padTo(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Names and values, one below the other. */
export function fields(rows: readonly (readonly [string, string])[], indent = ''): string[] {
  const width = Math.max(...rows.map(([name]) => widthOf(name)))
  return rows.map(([name, value]) => `${indent}${padTo(name, width)}  ${value}`)
}

/** `2026-11-22T09:30:00.123Z` as `2026-11-22 09:30:00Z`. */
export function time(rfc3339: string): string {
  return rfc3339.replace('T', ' ').replace(/\.\d+Z$/, 'Z')
}

/** One value of JSON in a table cell. */
export function cell(value: unknown): string {
  if (value === undefined || value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
