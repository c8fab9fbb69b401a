// Endorsements: what vendors sign about their hardware, in one bag. Nothing in the bag is trusted before verification has
// checked its signature.

import { equal, toHex } from './bytes.ts'
import type { Crl } from './crl.ts'
import { DOCUMENT_LISTS, type DOCUMENTS } from './documents/documents.ts'
import type { Signed } from './signature.ts'
import type { Certificate } from './x509.ts'

type Documents = {
  readonly [L in keyof typeof DOCUMENTS]: readonly ReturnType<(typeof DOCUMENTS)[L]['parse']>[]
}

/** Verification remembers signatures with the objects in here: keep a bag, and what was costly is done once. */
export interface Endorsements extends Documents {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Crl[]
}

/** The same while they are being filled. */
export type Items = { readonly [L in keyof Endorsements]: Endorsements[L][number][] }

export const NO_ENDORSEMENTS: Endorsements = eachList(() => [])

/** Of all lists. */
export function eachList(of: (list: keyof Endorsements) => Signed[]): Items {
  const lists: Partial<Record<keyof Endorsements, Signed[]>> = {
    certificates: of('certificates'),
    crls: of('crls'),
  }
  for (const list of DOCUMENT_LISTS) lists[list] = of(list)
  return lists as Items
}

/** One bag of several; what is in more than one stands once. */
export function mergeEndorsements(...all: readonly Endorsements[]): Endorsements {
  const [first] = all
  return first && all.length === 1 ? first : uniqueItems(all)
}

/** Items of the same signature and content stand once. */
export function uniqueItems(all: readonly Endorsements[]): Endorsements {
  return eachList(list => unique(all.flatMap((it): readonly Signed[] => it[list])))
}

/** Keeps the first of equal items, so that what is remembered with it stays. */
function unique<T extends Signed>(items: T[]): T[] {
  if (items.length < 2) return items
  const bySignature = new Map<string, T[]>()
  return items.filter(item => {
    const key = toHex(item.signature)
    const same = bySignature.get(key)
    if (same?.some(({ tbs }) => equal(tbs, item.tbs))) return false
    if (same) same.push(item)
    else bySignature.set(key, [item])
    return true
  })
}
