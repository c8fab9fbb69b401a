// Where sealing keys come from: one secret per policy, which never leaves the machine it belongs to.
import type { KeyObject } from 'node:crypto'
import type { SealingPolicy } from './identity.ts'

/** Can be sent to the thread of an instance: it holds no functions, and key objects that print nothing. */
export interface SealingRoot {
  readonly kind: 'simulated' | 'gramine'
  /** 16 bytes, one version for each component; null where the platform does not tell. */
  readonly cpuSvn: Uint8Array | null
  readonly secrets: Readonly<Record<SealingPolicy, KeyObject>>
}

/** In bytes. */
export const CPU_SVN_SIZE = 16
