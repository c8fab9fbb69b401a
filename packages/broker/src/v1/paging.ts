// Cursors: the store's own continuation in base64url, so that nobody builds one by hand and it may change.

import { BrokerError } from '../errors.ts'
import type { Page, PageRequest } from '../store/store.ts'

/** Page size where none is asked for. */
export const DEFAULT_LIMIT = 50

/** Largest page. */
export const MAX_LIMIT = 500

/** What a query may say about paging. */
export interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

/** @throws {BrokerError} `cursor-invalid` for anything that no page gave as `next` */
export function readPage({ limit = DEFAULT_LIMIT, cursor }: PageQuery, valid: RegExp): PageRequest {
  if (cursor === undefined) return { limit, after: null }
  const after = Buffer.from(cursor, 'base64url').toString()
  if (!valid.test(after) || encodeCursor(after) !== cursor) {
    throw new BrokerError('cursor-invalid', 'the cursor is not one that a page of this list gave', {
      hint: 'start again without a cursor',
    })
  }
  return { limit, after }
}

export function writePage<T, Shown>(
  page: Page<T>,
  show: (item: T) => Shown,
): { items: Shown[]; next: string | null } {
  return { items: page.items.map(show), next: page.next === null ? null : encodeCursor(page.next) }
}

function encodeCursor(after: string): string {
  return Buffer.from(after).toString('base64url')
}
