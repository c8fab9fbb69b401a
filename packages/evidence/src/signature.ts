// Signatures, and the facts about them that are worth keeping: an imported key, and that some bytes are or are not
// signed by some key. Such facts do not depend on the time; whatever does is checked anew on every call.
// All memory is bounded, because attackers choose part of what is verified.

import { importKey, verifySignature } from '#crypto'
import type { SignatureScheme } from './algorithm.ts'
import { BoundedMap } from './bounded-map.ts'
import { toHex } from './bytes.ts'
import { MAX_SPKI_BYTES, type PublicKey, type SignatureCheck, type SignatureEncoding } from './crypto.ts'

/** Imported keys kept; one is about 1 KiB. */
const MAX_KEYS = 2048
/** Keys that one signed object is remembered with: its signer, and a few that it was tried against. */
const MAX_FACTS_PER_OBJECT = 8

/** Anything signed: a certificate, a CRL, a signed JSON document. Its identity is the key of what is remembered. */
export interface Signed {
  readonly tbs: Uint8Array
  readonly signature: Uint8Array
  readonly signatureAlgorithm: SignatureScheme
  /** Absent for the DER that X.509 uses. */
  readonly signatureEncoding?: SignatureEncoding
}

const keys = new BoundedMap<string, PublicKey>(MAX_KEYS)
const facts = new WeakMap<Signed, BoundedMap<string, boolean>>()
const lastKeys = new WeakMap<Uint8Array, { readonly scheme: SignatureScheme; readonly key: PublicKey }>()
const spkiNames = new WeakMap<Uint8Array, string>()

/** Whether the signature is right; false also for a key of another kind. The key is kept, the outcome is not. */
export async function checkSignature(spki: Uint8Array, check: SignatureCheck): Promise<boolean> {
  const key = keyAtHand(spki, check.scheme) ?? (await findKey(spki, check.scheme))
  return key !== null && verifySignature(key, check)
}

/** The key that this very array was last imported as. */
function keyAtHand(spki: Uint8Array, scheme: SignatureScheme): PublicKey | null {
  const last = lastKeys.get(spki)
  return last?.scheme === scheme ? last.key : null
}

async function findKey(spki: Uint8Array, scheme: SignatureScheme): Promise<PublicKey | null> {
  const name = `${scheme}:${nameOf(spki)}`
  const key = keys.get(name) ?? (await importKey(spki, scheme))
  if (!key) return null
  keys.set(name, key)
  lastKeys.set(spki, { scheme, key })
  return key
}

/** What is remembered of {@link isSignedBy}; undefined where nothing is. */
export function knownFact(signed: Signed, spki: Uint8Array): boolean | undefined {
  if (spki.length > MAX_SPKI_BYTES) return false
  return facts.get(signed)?.get(nameOf(spki))
}

/** Whether `signed` is signed by the key; remembered with the object for as long as the object lives. */
export async function isSignedBy(signed: Signed, spki: Uint8Array): Promise<boolean> {
  // No signature is right under a key too large to be taken, and its name is too large to be kept.
  if (spki.length > MAX_SPKI_BYTES) return false
  let known = facts.get(signed)
  if (!known) {
    known = new BoundedMap(MAX_FACTS_PER_OBJECT)
    facts.set(signed, known)
  }
  const name = nameOf(spki)
  const fact = known.get(name)
  if (fact !== undefined) return fact
  const outcome = await checkSignature(spki, {
    scheme: signed.signatureAlgorithm,
    encoding: signed.signatureEncoding ?? 'der',
    signature: signed.signature,
    message: signed.tbs,
  })
  known.set(name, outcome)
  return outcome
}

/** The key's octets as a string; made once for each array, which nobody writes to after parsing. */
function nameOf(spki: Uint8Array): string {
  let name = spkiNames.get(spki)
  if (name === undefined) {
    name = toHex(spki)
    spkiNames.set(spki, name)
  }
  return name
}
