// Endorsements out of files and answers: items are recognised by what they are, not by where they came from.

import { type Endorsements, mergeEndorsements, uniqueItems } from './endorsements.ts'
import { recogniseItems } from './recognise-items.ts'
import { Refusal } from './refusal.ts'
import { escapeUnfit } from './untrusted-text.ts'

/** Bytes of a file or an answer, and what to call it in messages. */
export interface EndorsementSource {
  readonly name: string
  readonly bytes: Uint8Array
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
