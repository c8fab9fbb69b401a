// Images as identities: who something is sealed for, and whose code this process runs.

import { type EnclaveStatement, identityOf, type SealingIdentity, verifyImage } from '@casemate/enclave'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { parseImageOf, readImageFile } from '../images/image-files.ts'

/** An image whose signature holds. */
export interface NamedImage {
  readonly name: string
  readonly identity: SealingIdentity
  readonly statement: EnclaveStatement
}

/**
 * Reads an image and checks its signature: an identity that nobody signed is nobody's.
 * @throws {CliError} file-not-readable, flag-value-invalid @throws {EnclaveError} as `parseImage`, `verifyImage`
 */
export function readImage(path: string, call: Call): NamedImage {
  const image = parseImageOf(path, readImageFile(path))
  const sigstruct = verifyImage(image)
  const { manifest } = image
  if (manifest.debug && !call.given('debug')) {
    throw new CliError(
      'flag-value-invalid',
      `${path} is a debug image: its host can read what is sealed for it`,
      {
        hint: '--debug says that this is meant',
      },
    )
  }
  return {
    name: manifest.name,
    identity: identityOf(image, sigstruct),
    statement: { sigstruct: sigstruct.bytes },
  }
}
