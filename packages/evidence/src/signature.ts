// Signatures, and the facts about them that are worth keeping: an imported key, and that some bytes are or are not
// signed by some key. Such facts do not depend on the time; whatever does is checked anew on every call.
// All memory is bounded, because attackers choose part of what is verified.

import { importKey, verifySignature } from '#crypto'
import type { SignatureScheme } from './algorithm.ts'
import { BoundedMap } from './bounded-map.ts'
import { toHex } from './bytes.ts'
import { MAX_SPKI_BYTES, type PublicKey, type SignatureCheck, type SignatureEncoding } from './crypto.ts'
import { isPublicKeyInfo } from './x509.ts'

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

/** A key that was imported for a scheme; `name` is its octets in hex. */
interface KnownKey {
  readonly name: string
  readonly scheme: SignatureScheme
  readonly key: PublicKey
}

/** What goes with an array of octets, which nobody writes to after parsing: their name, and the key that they last were. */
interface AtHand {
  readonly name: string
  last: KnownKey | null
}

interface Fact {
  readonly name: string
  readonly isSigned: boolean
}

const keys = new BoundedMap<number, KnownKey>(MAX_KEYS)
const atHand = new WeakMap<Uint8Array, AtHand>()
const facts = new WeakMap<Signed, Fact[]>()

/** Whether the signature is right; false also for a key of another kind. The key is kept, the outcome is not. */
export async function checkSignature(spki: Uint8Array, check: SignatureCheck): Promise<boolean> {
  const { last } = octetsAtHand(spki)
  const key = last?.scheme === check.scheme ? last.key : await findKey(spki, check.scheme)
  return key !== null && verifySignature(key, check)
}

async function findKey(spki: Uint8Array, scheme: SignatureScheme): Promise<PublicKey | null> {
  const octets = octetsAtHand(spki)
  const { name } = octets
  const place = placeOf(spki)
  let known = keys.get(place)
  if (known?.scheme !== scheme || known.name !== name) {
    // Libraries also take other encodings of a key, and octets behind it.
    const key = isPublicKeyInfo(spki) ? await importKey(spki, scheme) : null
    if (!key) return null
    known = { name, scheme, key }
    keys.set(place, known)
  }
  octets.last = known
  return known.key
}

/** What is remembered of {@link isSignedBy}; undefined where nothing is. */
export function knownFact(signed: Signed, spki: Uint8Array): boolean | undefined {
  if (spki.length > MAX_SPKI_BYTES) return false
  const known = facts.get(signed)
  return known && factOf(known, octetsAtHand(spki).name)
}

/** Whether `signed` is signed by the key; remembered with the object for as long as the object lives. */
export async function isSignedBy(signed: Signed, spki: Uint8Array): Promise<boolean> {
  // No signature is right under a key too large to be taken, and its name is too large to be kept.
  if (spki.length > MAX_SPKI_BYTES) return false
  const { name } = octetsAtHand(spki)
  const fact = factOf(facts.get(signed) ?? [], name)
  if (fact !== undefined) return fact
  const isSigned = await checkSignature(spki, {
    scheme: signed.signatureAlgorithm,
    encoding: signed.signatureEncoding ?? 'der',
    signature: signed.signature,
    message: signed.tbs,
  })
  remember(signed, { name, isSigned })
  return isSigned
}

/** They are few: to go through them costs less than to look a long name up. */
function factOf(known: readonly Fact[], name: string): boolean | undefined {
  for (const fact of known) if (fact.name === name) return fact.isSigned
  return undefined
}

function remember(signed: Signed, fact: Fact): void {
  const known = facts.get(signed)
  if (known === undefined) facts.set(signed, [fact])
  else if (known.push(fact) > MAX_FACTS_PER_OBJECT) known.shift()
}

function octetsAtHand(spki: Uint8Array): AtHand {
  let octets = atHand.get(spki)
  if (octets === undefined) {
    octets = { name: toHex(spki), last: null }
    atHand.set(spki, octets)
  }
  return octets
}

/** 48 bits of an elliptic curve's y, or of an RSA modulus before its exponent: what a map finds; the name decides. */
function placeOf(spki: Uint8Array): number {
  let place = 0
  for (let at = spki.length - 12; at < spki.length - 6; at++) place = place * 256 + (spki[at] ?? 0)
  return place
}
