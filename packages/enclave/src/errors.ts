// Why an enclave, an image or a sealed blob was not accepted: one error class, one table of stable codes.
// The names follow the SGX SDK's errors; codes are API, messages are not; each code has exactly one meaning.

/** Every code an {@link EnclaveError} can carry, with its one meaning. */
export const ENCLAVE_ERRORS = {
  'invalid-parameter': 'an argument does not have the shape or range that it must have',
  'invalid-image': 'the bytes are not an enclave image of a version that is known here',
  'invalid-manifest': 'the manifest is not canonical, or a member is missing, unknown or out of range',
  'invalid-code': 'the code is not a WebAssembly module that an enclave can be',
  'invalid-metadata': 'a SIGSTRUCT, or the section of a file that holds one, does not have Intel’s layout',
  'invalid-key': 'the key is not RSA of 3,072 bits with exponent 3',
  'source-unreadable': 'a file of the source is missing or cannot be read',
  'settings-invalid': 'a setting of the build is missing, unknown or out of range',
  'compiler-unavailable':
    'the compiler of enclaves, which is optional, is not installed in the version that is wanted',
  'compile-failed': 'the compiler does not accept the source',
  'export-unsuitable': 'an exported function is none that the platform can call',
  'image-unsigned': 'the image carries no signature',
  'invalid-signature': 'the SIGSTRUCT is not signed by the key that it carries',
  'invalid-signature-hints': 'q1 and q2 of the SIGSTRUCT do not belong to its signature and modulus',
  'invalid-measurement': 'what was signed, or what is wanted, is another measurement than that of this image',
  'identity-mismatch': 'product id, security version or attributes of SIGSTRUCT and manifest differ',
  'signer-untrusted': 'the image is signed by nobody that the caller listed',
  'debug-mismatch': 'a debug image was to run as a production one, or the other way round',
  'export-mismatch': 'the functions that the code exports are not those that the manifest declares',
  'import-undeclared': 'the functions that the code imports are not those that the manifest declares',
  'import-unavailable': 'the platform does not offer a function that the manifest declares',
  'secret-unavailable': 'the platform does not hold a secret that the manifest declares',
  'limit-exceeded': 'the image asks for more memory, threads or parts of a module than it may have',
  'trial-unavailable': 'the process in which code is compiled first cannot be started',
  'out-of-memory': 'an instance had no memory left and was replaced',
  'enclave-crashed': 'an instance trapped, or broke the calling convention, and was replaced',
  'enclave-timeout': 'an instance did not answer in time and was replaced',
  'enclave-lost': 'no instance is left, and none could be started in its place',
  'enclave-closed': 'the enclave was closed',
  'function-unknown': 'the manifest declares no such export',
  'call-failed': 'the enclave’s function answered with a status of its own instead of a result',
  'attestation-failed': 'the platform did not give evidence',
  'attestation-busy': 'the platform is giving evidence to others, or was overtaken; try again',
  'attestation-unavailable': 'nothing on this machine gives evidence',
  'simulator-invalid': 'a file in the directory is not that of a simulated platform',
  'root-unsafe': 'the file of a sealing root can be read by others',
  'root-invalid': 'the file of a sealing root does not hold a key of the right size',
  'seal-malformed': 'the bytes are not a sealed blob of a version that is known here',
  'seal-svn-too-new': 'the blob was sealed by a newer security version than the one that wants to open it',
  'seal-cpu-svn-too-new': 'the blob was sealed at a higher security version of the platform',
  'seal-root-mismatch':
    'the blob was sealed under another root: another machine or key, or before its firmware changed',
  'seal-enclave-mismatch': 'the blob was sealed for exactly one measurement, which is another',
  'seal-signer-mismatch': 'the blob was sealed for the enclaves of another signer',
  'seal-product-mismatch': 'the blob was sealed for another product of the signer',
  'seal-debug-mismatch':
    'the blob is of a debug enclave and was to be opened by a production one, or the other way round',
  'seal-mac-mismatch': 'the blob was changed',
  'seal-truncated': 'the sealed stream ends before its last chunk',
  'reseal-forbidden':
    'what is sealed may only move to the same product of the same signer, not older, and as it is in debug',
  'reseal-unverified': 'the new file does not read back as what the old one holds; the old one stands',
  'file-changed': 'the file was changed while it was being sealed again; the changed one stands',
  'file-exists': 'the file that was to be made exists',
  'file-unreadable': 'a file or directory cannot be read',
  'file-unwritable': 'a file cannot be written, or not be put in its place',
  'disk-full': 'the disk or the quota has no room for the new file',
  interrupted: 'the work was stopped before it was done',
} as const

/** A stable code of {@link ENCLAVE_ERRORS}. */
export type EnclaveErrorCode = keyof typeof ENCLAVE_ERRORS

/** For a person: how to mend it, if the place that throws knows no better. */
const USUAL_HINTS: Partial<Record<EnclaveErrorCode, string>> = {
  'enclave-crashed':
    'a throw, an assert, an index out of range, endless recursion or no memory left; AssemblyScript that imports log says which',
  'enclave-timeout': 'a loop without an end, or more work than one call has time for: send it in parts',
  'out-of-memory':
    'what it is given and what it keeps need more memory: casemate enclave build --memory-pages N',
}

/** Details of an error beside its code. */
export interface EnclaveErrorDetail {
  readonly expected?: string
  readonly got?: string
  /** For a person: how to mend it. */
  readonly hint?: string
  /** One line each, where there are several. */
  readonly problems?: readonly string[]
  readonly cause?: unknown
}

/** An image, an enclave or a blob that is not acceptable, or a call that came to nothing. */
export class EnclaveError extends Error {
  override readonly name = 'EnclaveError'
  readonly code: EnclaveErrorCode
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined
  readonly problems: readonly string[] | undefined

  constructor(code: EnclaveErrorCode, message: string, detail: EnclaveErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.expected = detail.expected
    this.got = detail.got
    this.hint = detail.hint ?? USUAL_HINTS[code]
    this.problems = detail.problems
  }
}
