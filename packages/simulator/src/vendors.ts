// The vendors whose platforms are simulated: how each is made, and made again from its JSON.

import type { TrustAnchor } from '@casemate/evidence'
import { amdPlatformFromJSON, createAmdPlatform } from './amd/platform.ts'
import { createIntelPlatform, intelPlatformFromJSON } from './intel/platform.ts'

/** Half of AMD’s own: keys that prove nothing need not take seconds to make. */
const AMD_MODULUS_BITS = 2048

interface Vendor<Platform> {
  readonly create: (options: { readonly now: Date }) => Promise<Platform>
  /** @throws for JSON that is no such platform */
  readonly reopen: (stored: unknown, options: { readonly now: Date }) => Promise<Platform>
}

export const VENDORS = {
  intel: {
    create: createIntelPlatform,
    reopen: (stored, options) => intelPlatformFromJSON(stored as never, options),
  },
  amd: {
    create: ({ now }) => createAmdPlatform({ now, modulusBits: AMD_MODULUS_BITS }),
    reopen: (stored, options) => amdPlatformFromJSON(stored as never, options),
  },
} as const satisfies Record<TrustAnchor['vendor'], Vendor<unknown>>

export type VendorName = keyof typeof VENDORS

/** One machine of each vendor. */
export type Platforms = {
  readonly [V in VendorName]: Awaited<ReturnType<(typeof VENDORS)[V]['create']>>
}
