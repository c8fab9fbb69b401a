// Endorsements: what vendors sign about their hardware, in one bag. Nothing in the bag is trusted before verification has
// checked its signature.

import { equal, toHex } from './bytes.ts'
import type { Crl } from './crl.ts'
import type { EnclaveIdentity } from './intel/enclave-identity.ts'
import type { TcbEvaluationNumbers } from './intel/tcb-evaluation.ts'
import type { TcbInfo } from './intel/tcb-info.ts'
import type { Signed } from './signature.ts'
import type { Certificate } from './x509.ts'

/** Verification remembers signatures with the objects in here: keep a bag, and what was costly is done once. */
export interface Endorsements {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Crl[]
  readonly tcbInfos: readonly TcbInfo[]
  readonly enclaveIdentities: readonly EnclaveIdentity[]
  readonly tcbEvaluationNumbers: readonly TcbEvaluationNumbers[]
}

export const NO_ENDORSEMENTS: Endorsements = {
  certificates: [],
  crls: [],
  tcbInfos: [],
  enclaveIdentities: [],
  tcbEvaluationNumbers: [],
}

/** One bag of several; what is in more than one stands once. */
export function mergeEndorsements(...all: readonly Endorsements[]): Endorsements {
  const [first] = all
  return first && all.length === 1 ? first : uniqueItems(all)
}

/** Items of the same signature and content stand once. */
export function uniqueItems(all: readonly Endorsements[]): Endorsements {
  return {
    certificates: unique(all.flatMap(it => it.certificates)),
    crls: unique(all.flatMap(it => it.crls)),
    tcbInfos: unique(all.flatMap(it => it.tcbInfos)),
    enclaveIdentities: unique(all.flatMap(it => it.enclaveIdentities)),
    tcbEvaluationNumbers: unique(all.flatMap(it => it.tcbEvaluationNumbers)),
  }
}

/** Keeps the first of equal items, so that what is remembered with it stays. */
function unique<T extends Signed>(items: readonly T[]): readonly T[] {
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
