// Follows what other processes have appended, and believes none of it: a log that does not continue the one that this process
// knows is another one. Their leaves, appended to what is known, give the root of the longer log only where it does.
import { equalBytes } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { LEAF_SIZE } from '../leaf.ts'
import type { Head, LedgerDatabase } from './ledger-database.ts'
import { restoreTail } from './restore.ts'
import type { MerkleTail } from './tail.ts'
import { TreeReader } from './tree.ts'

/** Entries by which others may be ahead: to append as many costs as much as to restore the edge of the tree. */
const MAX_BEHIND = 4_096

/** Whether the log is so far ahead that its edge is sooner restored than followed leaf by leaf. */
export function isFarAhead(head: Head, known: MerkleTail): boolean {
  return head.size - known.size > MAX_BEHIND
}

/** The log as it is stored now; what is known where nothing was added. @throws {LedgerError} ledger-forked, ledger-damaged */
export async function follow(database: LedgerDatabase, known: MerkleTail): Promise<MerkleTail> {
  const head = await database.head()
  if (head.size <= known.size) return known
  if (!isFarAhead(head, known)) return continued(known, head, await database.leaves(known.size, head.size))
  const tail = restoreTail(await database.edge())
  await demandContinued(database, known, tail)
  return tail
}

/**
 * The log that a head is of.
 * @param leaves of all that it has and `known` has not
 * @throws {LedgerError} ledger-forked
 */
export function continued(known: MerkleTail, head: Head, leaves: Uint8Array): MerkleTail {
  const tail = known.clone()
  // Tiles that become full are stored already, by whoever filled them.
  for (let at = 0; at < leaves.length; at += LEAF_SIZE) tail.append(leaves, at, () => undefined)
  if (!equalBytes(tail.root(), head.root)) throw forked(known)
  return tail
}

/** That the shorter of two logs is how the longer one began. @throws {LedgerError} ledger-forked */
export async function demandContinued(
  database: LedgerDatabase,
  shorter: MerkleTail,
  longer: MerkleTail,
): Promise<void> {
  const root = await new TreeReader(database, longer).rootAt(shorter.size)
  if (!equalBytes(root, shorter.root())) throw forked(shorter)
}

function forked({ size }: MerkleTail): LedgerError {
  return new LedgerError(
    'ledger-forked',
    `the log does not continue the one of ${size} entries that this process knows`,
    { hint: 'stop writing and restore the database from a backup; keep this one to compare' },
  )
}
