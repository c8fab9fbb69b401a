// The providers of configfs-tsm that are read here: the kernel has one at most, and each gives one kind of evidence.
import type { BinaryKind } from '@casemate/evidence'

interface Provider {
  readonly kind: BinaryKind
  /** A machine that has it, for people. */
  readonly machine: string
  /** The kernel’s module. */
  readonly module: string
  /** Below the root of the file system; older kernels write some with a dash. */
  readonly devices: readonly string[]
  /** A flag that every such machine shows in /proc/cpuinfo; null if there is none. */
  readonly cpuFlag: string | null
  /** Whether the host offers certificates beside the evidence (`auxblob`). */
  readonly hasCertificates: boolean
  /** Whether a privilege level of 0 to 3 may be asked for (`privlevel`). */
  readonly hasLevels: boolean
  /** Whether the machine has a register that shows the enclave, see register.ts. */
  readonly hasRegister: boolean
}

export const TSM_PROVIDERS = {
  tdx_guest: {
    kind: 'tdx',
    machine: 'a TDX domain',
    module: 'tdx_guest',
    devices: ['dev/tdx_guest', 'dev/tdx-guest'],
    // X86_FEATURE_TDX_GUEST, since 5.16.
    cpuFlag: 'tdx_guest',
    hasCertificates: false,
    hasLevels: false,
    hasRegister: true,
  },
  sev_guest: {
    kind: 'snp',
    machine: 'a SEV-SNP guest',
    module: 'sev-guest',
    devices: ['dev/sev-guest'],
    cpuFlag: null,
    hasCertificates: true,
    hasLevels: true,
    hasRegister: false,
  },
} as const satisfies Record<string, Provider>

export type TsmProvider = keyof typeof TSM_PROVIDERS
