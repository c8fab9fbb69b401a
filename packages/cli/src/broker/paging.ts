// Lists, page after page: all of a short one, the first so many of a long one.

import { itemsOf, type Page, type PageRequest } from '@casemate/client'
import type { Call, Flag } from '../command.ts'
import { countOf } from '../typed/flag-values.ts'

/** How many a list shows unless told otherwise; what a screen holds. */
const DEFAULT_LIMIT = 50

/** The flag of every list. */
export const LIMIT_FLAG = {
  limit: { value: 'N', summary: `how many to show (default ${DEFAULT_LIMIT})` },
} as const satisfies Record<string, Flag>

/** What was read, and whether there is more. */
export interface Listing<Item> {
  readonly items: readonly Item[]
  readonly more: boolean
}

type Read<Item> = (page: PageRequest) => Promise<Page<Item>>

/** The first `--limit` items. */
export function listed<Item>(call: Call, read: Read<Item>): Promise<Listing<Item>> {
  return firstOf(limitOf(call), read)
}

/** @throws {CliError} flag-value-invalid */
export function limitOf(call: Call): number {
  return countOf(call, 'limit') ?? DEFAULT_LIMIT
}

/** The first so many. */
export async function firstOf<Item>(limit: number, read: Read<Item>): Promise<Listing<Item>> {
  const items: Item[] = []
  for await (const item of itemsOf(read)) {
    if (items.length === limit) return { items, more: true }
    items.push(item)
  }
  return { items, more: false }
}

/** What to add below a table that was cut. */
export function moreLines(listing: Listing<unknown>): string[] {
  return listing.more ? ['… there are more; --limit N shows them'] : []
}
