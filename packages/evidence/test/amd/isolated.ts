// A SEV-SNP platform and a report of it, verified with what a test changes, so that one check alone fails.

import {
  type AmdPlatform,
  type AmdPlatformOptions,
  createAmdPlatform,
  type SnpReportRequest,
} from '@casemate/simulator'
import type { SnpClaims } from '../../src/amd/claims.ts'
import { parseSnpEvidence } from '../../src/amd/evidence.ts'
import { verifySnp } from '../../src/amd/verify.ts'
import type { TrustAnchor } from '../../src/anchor.ts'
import type { Endorsements } from '../../src/endorsements.ts'
import type { VerifiedClaims } from '../../src/kind.ts'
import { readEndorsements } from '../../src/read-endorsements.ts'

export const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(7)
/** A report of which the host masked the chip id. */
export const MASKED = { request: { chipId: new Uint8Array(64) } }

interface Changes {
  readonly request?: Partial<SnpReportRequest>
  /** Changes the bytes after everything else. */
  readonly edit?: (bytes: Uint8Array) => void
  readonly without?: readonly string[]
  readonly endorsements?: Endorsements
  readonly anchors?: readonly TrustAnchor[]
  readonly now?: Date
}

export function createPlatform(options: AmdPlatformOptions = {}): Promise<AmdPlatform> {
  return createAmdPlatform({ now: NOW, modulusBits: 2048, ...options })
}

export async function verifyOn(
  platform: AmdPlatform,
  changes: Changes = {},
): Promise<VerifiedClaims<SnpClaims>> {
  const bytes = platform.snpReport({ reportData: REPORT_DATA, ...changes.request })
  changes.edit?.(bytes)
  const sources = platform.endorsements.filter(({ name }) => !changes.without?.includes(name))
  return verifySnp(parseSnpEvidence(bytes), changes.endorsements ?? readEndorsements(sources), {
    now: changes.now ?? NOW,
    anchors: changes.anchors ?? platform.anchors,
  })
}
