// Where sealing keys come from: one secret per policy, which never leaves the machine, or the attested code, that it
// belongs to. Each has a public id, so that a wrong root is told apart from a forgery. The id is HKDF-SHA256 of the
// secret (RFC 5869, no salt): who does not have the secret learns from it which blobs share a root, and nothing else.
import { hkdfSync, type KeyObject } from 'node:crypto'
import type { SealingPolicy } from './identity.ts'

/** As the header of what is sealed spells it. */
export const ROOT_KINDS = { simulated: 1, gramine: 2, broker: 3 } as const
export type RootKind = keyof typeof ROOT_KINDS

/** KEYPOLICY of EGETKEY. */
export const POLICY_BITS: Readonly<Record<SealingPolicy, number>> = { mrEnclave: 1, mrSigner: 2 }

/** In bytes. */
export const CPU_SVN_SIZE = 16
/** In bytes. */
export const ROOT_ID_SIZE = 16

const ID_DOMAIN = 'casemate-root-id/1\n'
const NO_SALT = new Uint8Array()

interface RootMaterial {
  readonly kind: RootKind
  /** 16 bytes, one version for each component; null if the platform does not tell, or where it does not matter. */
  readonly cpuSvn: Uint8Array | null
  readonly secrets: Readonly<Record<SealingPolicy, KeyObject>>
}

/** Can be sent to the thread of an instance: it holds no functions, and key objects that print nothing. */
export interface SealingRoot extends RootMaterial {
  /** 16 bytes each, public. */
  readonly ids: Readonly<Record<SealingPolicy, Uint8Array>>
}

/** A root of these secrets, with its ids. */
export function makeRoot(material: RootMaterial): SealingRoot {
  const id = (policy: SealingPolicy): Uint8Array => {
    const info = Buffer.from([...Buffer.from(ID_DOMAIN), ROOT_KINDS[material.kind], POLICY_BITS[policy]])
    return new Uint8Array(hkdfSync('sha256', material.secrets[policy], NO_SALT, info, ROOT_ID_SIZE))
  }
  return { ...material, ids: { mrEnclave: id('mrEnclave'), mrSigner: id('mrSigner') } }
}
