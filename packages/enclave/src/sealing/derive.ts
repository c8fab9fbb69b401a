// Sealing keys, derived as EGETKEY does (SDM volume 3D, 38.17): a key depends on who asks, and an enclave gets the keys
// of its own security version and of older ones, never of newer ones. HKDF-SHA256 (RFC 5869), salt = key id.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import type { SealingIdentity, SealingPolicy } from './identity.ts'
import { CPU_SVN_SIZE, POLICY_BITS, type SealingRoot } from './root.ts'

export const KEY_ID_SIZE = 32
/** AES-256. */
const KEY_SIZE = 32
const DOMAIN = new TextEncoder().encode('casemate-seal/1\n')
/** domain 16, policy 1, debug 1, isvSvn 2, isvProdId 2, has cpuSvn 1, zero 1, cpuSvn 16, identity 32. */
const INFO_SIZE = 72

/** Which of an enclave’s keys. */
export interface KeyRequest {
  readonly policy: SealingPolicy
  readonly isvSvn: number
  /** 32 random bytes. */
  readonly keyId: Uint8Array
  /** 16 bytes; null if the root had none. */
  readonly cpuSvn: Uint8Array | null
}

/** @throws {EnclaveError} seal-svn-too-new, seal-cpu-svn-too-new */
export function deriveSealingKey(
  root: SealingRoot,
  identity: SealingIdentity,
  request: KeyRequest,
): KeyObject {
  checkVersion(request.isvSvn, identity)
  if (request.cpuSvn !== null && !isCovered(request.cpuSvn, root.cpuSvn)) {
    throw new EnclaveError(
      'seal-cpu-svn-too-new',
      'sealed at a security version of the platform that this one lacks',
      {
        hint: 'was firmware or microcode taken back to an older version?',
      },
    )
  }
  const info = infoOf(identity, request)
  const key = Buffer.from(hkdfSync('sha256', root.secrets[request.policy], request.keyId, info, KEY_SIZE))
  try {
    return createSecretKey(key)
  } finally {
    key.fill(0)
  }
}

function infoOf(identity: SealingIdentity, { policy, isvSvn, cpuSvn }: KeyRequest): Uint8Array {
  const info = new Uint8Array(INFO_SIZE)
  const view = viewOf(info)
  info.set(DOMAIN)
  info[16] = POLICY_BITS[policy]
  info[17] = identity.debug ? 1 : 0
  view.setUint16(18, isvSvn, true)
  // Code that MRENCLAVE measures needs no product id, and EGETKEY adds none.
  if (policy === 'mrSigner') view.setUint16(20, identity.isvProdId, true)
  info[22] = cpuSvn === null ? 0 : 1
  if (cpuSvn !== null) info.set(cpuSvn, 24)
  info.set(policy === 'mrEnclave' ? identity.mrEnclave : identity.mrSigner, 24 + CPU_SVN_SIZE)
  return info
}

/** @throws {EnclaveError} seal-svn-too-new */
export function checkVersion(wanted: number, { isvSvn }: SealingIdentity): void {
  if (wanted <= isvSvn) return
  throw new EnclaveError(
    'seal-svn-too-new',
    `sealed by security version ${wanted}, this enclave is version ${isvSvn}`,
    { expected: `at most ${isvSvn}`, got: String(wanted), hint: 'run the newer enclave' },
  )
}

/** Component by component, as EGETKEY compares them. */
function isCovered(wanted: Uint8Array, own: Uint8Array | null): boolean {
  return own !== null && wanted.every((version, index) => version <= (own[index] ?? 0))
}
