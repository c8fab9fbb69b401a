// The bank that owns the rules: it has OFAC's two files, and seals them for exactly this code.
import { join } from 'node:path'
import { seal, type UnsealOptions } from '@casemate/enclave'
import { readInputFile } from '../stage/input-files.ts'

/** A sealed list is marked with this, so that nothing else is taken for one. */
const LIST_LABEL = new TextEncoder().encode('list')

/** The files as OFAC publishes them: sdn.csv and alt.csv. */
export interface SanctionsFiles {
  readonly parties: Uint8Array
  readonly aliases: Uint8Array
}

/** Of a folder. @throws {PartyFailed} file-not-readable */
export function readSanctions(directory: string): SanctionsFiles {
  return {
    parties: readInputFile(join(directory, 'ofac-sdn.csv')),
    aliases: readInputFile(join(directory, 'ofac-alt.csv')),
  }
}

/** As the enclave loads them: size of the parties' file, that file, the other. */
export function packSanctions({ parties, aliases }: SanctionsFiles): Uint8Array {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(parties.length)
  return new Uint8Array(Buffer.concat([size, parties, aliases]))
}

export function sealSanctions(files: SanctionsFiles, owner: UnsealOptions): Uint8Array {
  return seal(packSanctions(files), { ...owner, policy: 'mrEnclave', additionalData: LIST_LABEL })
}
