// Starts an image with the demands that were typed, and says which enclave it is.

import type { Secrets } from '@casemate/agent'
import {
  Enclave,
  type EnclaveImage,
  type EnclaveStatement,
  SEALING_IMPORTS,
  verifyImage,
} from '@casemate/enclave'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes } from '../files/input-files.ts'
import { openLocalRoot } from '../sealing/roots.ts'

/** An image, as it was read and as it is. */
export interface ReadImage {
  readonly bytes: Uint8Array
  readonly image: EnclaveImage
}

/** @throws {EnclaveError} with the code of the first check that fails */
export function startEnclave(call: Call, { bytes, image }: ReadImage, secrets: Secrets): Promise<Enclave> {
  const seals = SEALING_IMPORTS.some(name => image.manifest.imports.includes(name))
  const signer = call.option('signer')
  return Enclave.create(bytes, {
    platform: {
      sealing: seals ? openLocalRoot(call, true) : null,
      secrets,
      log: ({ text }) => call.terminal.note(`log: ${text}`),
      report: event => call.terminal.note(`event: ${JSON.stringify(event)}`),
    },
    debug: call.given('debug'),
    signers: signer === null ? 'any' : [signer.toLowerCase()],
    measurement: call.option('measurement')?.toLowerCase() ?? 'any',
  })
}

/** @throws {EnclaveError} image-unsigned, and what else `verifyImage` finds: nothing unsigned attests */
export function statementOf(image: EnclaveImage): EnclaveStatement {
  return { sigstruct: verifyImage(image).bytes }
}

/** Which of the secrets that it declares are files, for a try, and which a broker has to release. */
export interface SecretSources {
  readonly files: Secrets
  readonly released: readonly string[]
}

/** @throws {CliError} flag-value-invalid, file-not-readable */
export function sourcesOf(call: Call, image: EnclaveImage): SecretSources {
  const files = new Map(call.options('secret-file').map(fileOf))
  const missing = image.manifest.secrets.filter(path => !files.has(path))
  return { files, released: call.given('server') ? missing : [] }
}

function fileOf(typed: string): readonly [string, Uint8Array] {
  const [, path, file] = /^([^=]+)=(.+)$/s.exec(typed) ?? []
  if (path !== undefined && file !== undefined) return [path, readBytes(file)]
  throw new CliError('flag-value-invalid', `--secret-file is ${typed}, want PATH=FILE`)
}
