// Endorsements: what vendors sign about their hardware, in one bag. Items are recognised by what they are, not by
// where they came from; nothing in the bag is trusted before verification has checked its signature.

import { equal, latin1 } from './bytes.ts'
import type { Crl } from './crl.ts'
import type { EnclaveIdentity } from './intel/enclave-identity.ts'
import type { TcbEvaluationNumbers } from './intel/tcb-evaluation.ts'
import type { TcbInfo } from './intel/tcb-info.ts'
import { recogniseItems } from './recognise-items.ts'
import { Refusal } from './refusal.ts'
import type { Signed } from './signature.ts'
import { escapeUnfit } from './untrusted-text.ts'
import type { Certificate } from './x509.ts'

/** Bytes of a file or an answer, and what to call it in messages. */
export interface EndorsementSource {
  readonly name: string
  readonly bytes: Uint8Array
}

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

/**
 * Reads endorsements of any kind in any order: DER, PEM, AMD’s certificate tables, hex, base64 and gzip of them, signed JSON as Intel serves it,
 * saved HTTP answers with their issuer-chain headers, and collateral bundles.
 * @throws {Refusal} `endorsement-malformed` for a source that is none of them, and the codes of the parsers
 */
export function readEndorsements(sources: Iterable<EndorsementSource>): Endorsements {
  return mergeEndorsements(
    ...Array.from(sources, source => {
      const found = recogniseEndorsements(source)
      if (found) return found
      const isEmpty = source.bytes.length === 0
      const what = isEmpty ? 'is empty: 0 bytes' : 'is no endorsement'
      throw new Refusal('endorsement-malformed', `${escapeUnfit(source.name)} ${what}`, {
        expected:
          'TCB info, an enclave identity, a revocation list, certificates, a table or a bundle of them',
        ...(isEmpty
          ? { hint: 'of TDX and of hosts without certificates, auxblob is empty: leave it out' }
          : {}),
      })
    }),
  )
}

/**
 * Like {@link readEndorsements} for one source that need not be an endorsement, as in a directory of all sorts.
 * @returns null where it is nothing of the kind
 * @throws {Refusal} when it is, and is malformed
 */
export function recogniseEndorsements(source: EndorsementSource): Endorsements | null {
  try {
    const items = recogniseItems(source.bytes)
    return items && uniqueItems([items])
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { expected, got, hint } = error
    throw new Refusal(error.code, `${escapeUnfit(source.name)}: ${error.message}`, {
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    })
  }
}

/** One bag of several; what is in more than one stands once. */
export function mergeEndorsements(...all: readonly Endorsements[]): Endorsements {
  const [first] = all
  return first && all.length === 1 ? first : uniqueItems(all)
}

function uniqueItems(all: readonly Endorsements[]): Endorsements {
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
    const key = latin1(item.signature)
    const same = bySignature.get(key)
    if (same?.some(({ tbs }) => equal(tbs, item.tbs))) return false
    if (same) same.push(item)
    else bySignature.set(key, [item])
    return true
  })
}
