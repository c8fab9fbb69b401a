// Tables for a person, as kubectl prints them: capitals above columns, two blanks between, nothing drawn. On a screen that
// is too narrow for a row, what does not fit stands below it; what a pipe gets is one line a row.

import { padTo, widthOf } from './width.ts'

/** What stands before the cells that are below their row. */
const BELOW = ' '.repeat(7)

/** Rows under their headings; `empty` if there are none. `columns` of a screen are kept, null has no end. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
  columns: number | null = null,
): string[] {
  if (rows.length === 0) return [empty]
  const all = [headings.map(heading => heading.toUpperCase()), ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map(row => widthOf(row[column] ?? ''))))
  return all.flatMap(row => fitted(row, widths, columns ?? Number.POSITIVE_INFINITY))
}

/** Ids are whole where the screen has room for them, or else shortened. */
export function tableOfIds(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
  columns: number | null,
): string[] {
  const whole = table(headings, rows, empty)
  if (columns === null || whole.every(line => widthOf(line) <= columns)) return whole
  const shortened = rows.map(row => row.map(shortIds))
  return table(headings, shortened, empty, columns)
}

/** Never cut: a cell that is wider than the screen has a line of its own. */
function fitted(row: readonly string[], widths: readonly number[], columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const [column, cell] of row.entries()) {
    const begun = line.trim() !== ''
    // Columns go below in all rows alike; the last one, which has the long texts, if it has to.
    const width = column === row.length - 1 ? widthOf(cell) : (widths[column] ?? 0)
    if (begun && widthOf(line) + width > columns) {
      lines.push(line.trimEnd())
      line = BELOW
    }
    line += `${padTo(cell, widths[column] ?? 0)}  `
  }
  return [...lines, line.trimEnd()]
}

/** An id takes half of a row, and is whole in JSON; the end of one is what tells it from its neighbours. */
export function shortIds(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4}([0-9a-f]{8})\b/g, '…$1')
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
