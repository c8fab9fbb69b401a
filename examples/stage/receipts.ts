// Proof of who got the data key: the log's entry of each release, with a receipt that is checked here offline, by the
// log's public key and nothing else.
import { type Admin, itemsOf, type ProvedRelease, verifyRelease } from '@casemate/client'

/** Every release of a secret, the oldest first. @throws {LedgerError} if a receipt proves nothing */
export async function proveReleases(
  admin: Admin,
  { path, ledgerKey }: { readonly path: string; readonly ledgerKey: string },
): Promise<readonly ProvedRelease[]> {
  const proved: ProvedRelease[] = []
  for await (const { entry, index } of itemsOf(page => admin.ledger.entries({ ...page, order: 'asc' }))) {
    if (entry?.['type'] !== 'release.granted' || entry['secret'] !== path) continue
    proved.push(await verifyRelease({ admin, index, key: ledgerKey }))
  }
  return proved
}
