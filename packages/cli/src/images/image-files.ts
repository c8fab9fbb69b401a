// Enclave images in files: what is none is named, with what it is instead.

import {
  EnclaveError,
  type EnclaveErrorDetail,
  type EnclaveImage,
  isEnclaveImage,
  parseImage,
} from '@casemate/enclave'
import { IMAGE_LIMIT_BYTES, readBytes } from '../files/input-files.ts'
import type { Replaceable } from '../files/output-files.ts'
import { shellWord } from '../typed/shell-word.ts'

/** What a build or a signature may take the place of. */
export const ANY_IMAGE: Replaceable = {
  what: 'an enclave image',
  start: new TextEncoder().encode('CMENCLV1'),
}

/** @throws {CliError} file-not-readable @throws {EnclaveError} invalid-image */
export function readImageFile(path: string): Uint8Array {
  const bytes = readBytes(path, IMAGE_LIMIT_BYTES)
  if (isEnclaveImage(bytes)) return bytes
  throw noImage(path, bytes)
}

/** `parseImage` of what was in a file, whose name is said with what is wrong. @throws {EnclaveError} as `parseImage` */
export function parseImageOf(path: string, bytes: Uint8Array): EnclaveImage {
  try {
    return parseImage(bytes)
  } catch (error) {
    if (!(error instanceof EnclaveError)) throw error
    const detail: EnclaveErrorDetail = { ...texts(error), cause: error }
    throw new EnclaveError(error.code, `${path}: ${error.message}`, detail)
  }
}

function texts({ expected, got, hint, problems }: EnclaveError): EnclaveErrorDetail {
  const given = Object.entries({ expected, got, hint, problems }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given)
}

/** Says of a file that is no image what it is. */
export function noImage(path: string, bytes: Uint8Array): EnclaveError {
  const { got, hint } = kindOf(path, bytes)
  return new EnclaveError('invalid-image', `${path} is no enclave image`, {
    expected: 'an enclave image, as casemate enclave build makes it',
    got,
    ...(hint === undefined ? {} : { hint }),
  })
}

interface FileKind {
  readonly got: string
  readonly hint?: string
}

/** Longer ones say nothing that this one does not. */
const START_LENGTH = 64

function kindOf(path: string, bytes: Uint8Array): FileKind {
  const start = Buffer.from(bytes.subarray(0, START_LENGTH)).toString('latin1')
  const found = KINDS.find(({ begins }) => begins.test(start))
  if (bytes.length === 0) return { got: 'an empty file' }
  const word = shellWord(path)
  if (found !== undefined) {
    return { got: found.got(start), ...(found.does === undefined ? {} : { hint: `${found.does} ${word}` }) }
  }
  if (path.endsWith('.ts')) return { got: 'a source', hint: `casemate enclave build ${word}` }
  return { got: 'something else' }
}

interface KnownStart {
  readonly begins: RegExp
  readonly got: (start: string) => string
  /** The command for it. */
  readonly does?: string
}

const KINDS: readonly KnownStart[] = [
  // oxlint-disable-next-line no-control-regex -- what files of other kinds begin with
  { begins: /^\0asm/, got: () => 'a WebAssembly module', does: 'casemate enclave build' },
  { begins: /^CMSB/, got: () => 'a sealed file', does: 'casemate seal --inspect' },
  // oxlint-disable-next-line no-control-regex -- as above
  { begins: /^\x06\0\0\0\xe1\0\0\0/, got: () => 'a SIGSTRUCT', does: 'casemate enclave inspect' },
  { begins: /^\x7fELF/, got: () => 'an ELF file', does: 'casemate enclave inspect' },
  {
    begins: /^-----BEGIN [A-Z0-9 ]+-----/,
    got: start => `a PEM file: ${/^-----BEGIN ([A-Z0-9 ]+)/.exec(start)?.[1] ?? ''}`,
  },
]
