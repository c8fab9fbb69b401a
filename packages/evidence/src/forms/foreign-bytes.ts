// Binary things that people take for evidence that can be verified here, told by their first bytes: each is called by its
// name, with a hint that is about it.

import { encodeUtf8, equal, isZero, startsWith } from '../bytes.ts'
import { type Form, unsupported } from './layer.ts'

interface Foreign {
  readonly name: string
  readonly hint: string
  readonly is: (bytes: Uint8Array) => boolean
}

const magic =
  (offset: number, ...octets: readonly number[]) =>
  (bytes: Uint8Array): boolean =>
    startsWith(bytes, Uint8Array.from(octets), offset)
const ascii = (offset: number, text: string) => magic(offset, ...encodeUtf8(text))
const either =
  (...tests: readonly ((bytes: Uint8Array) => boolean)[]) =>
  (bytes: Uint8Array): boolean =>
    tests.some(test => test(bytes))

const DECOMPRESS = 'unpack it first; of compressed forms only gzip is read'

const FOREIGN: readonly Foreign[] = [
  {
    name: 'vTPM evidence of Azure (an HCL report)',
    hint: 'Azure’s vTPM evidence cannot be verified here; the SEV-SNP report in it can, on its own',
    is: ascii(0, 'HCLA'),
  },
  {
    name: 'an attestation document of AWS Nitro',
    hint: 'there is no verifier for Nitro Enclaves or NitroTPM here',
    // COSE_Sign1, with ES384 as its algorithm, tagged or not.
    is: either(
      magic(0, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22),
      magic(0, 0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22),
    ),
  },
  {
    name: 'an Arm CCA token',
    hint: 'there is no verifier for Arm CCA here',
    // CBOR tag 399.
    is: magic(0, 0xd9, 0x01, 0x8f),
  },
  {
    name: 'a signed CBOR token (COSE), such as a PSA token',
    hint: 'tokens of PSA and other COSE messages cannot be verified here',
    is: either(magic(0, 0xd2, 0x84, 0x43, 0xa1, 0x01), magic(0, 0xd1, 0x84, 0x43, 0xa1, 0x01)),
  },
  {
    name: 'a TPM quote (TPMS_ATTEST)',
    hint: 'TPM quotes cannot be verified here; a quote or report of the TEE itself can',
    is: either(magic(0, 0xff, 0x54, 0x43, 0x47), magic(2, 0xff, 0x54, 0x43, 0x47)),
  },
  {
    name: 'a TDREPORT',
    hint: 'a TDREPORT is good on its own machine only: have the quoting service make a quote of it',
    is: bytes => bytes.length === 1024 && bytes[0] === 0x81 && bytes[3] === 0,
  },
  {
    name: 'an EPID quote of SGX',
    hint: 'Intel has ended EPID attestation; have the enclave make an ECDSA (DCAP) quote',
    is: isEpid,
  },
  {
    name: 'an attestation report of SEV or SEV-ES',
    hint: 'before SEV-SNP, reports have another format that cannot be verified here',
    is: isSevReport,
  },
  {
    name: 'compressed with zstd',
    hint: DECOMPRESS,
    is: magic(0, 0x28, 0xb5, 0x2f, 0xfd),
  },
  { name: 'compressed with xz', hint: DECOMPRESS, is: magic(0, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00) },
  { name: 'compressed with bzip2', hint: DECOMPRESS, is: ascii(0, 'BZh') },
  { name: 'a ZIP archive', hint: DECOMPRESS, is: magic(0, 0x50, 0x4b, 0x03, 0x04) },
  { name: 'a tar archive', hint: DECOMPRESS, is: ascii(257, 'ustar') },
  {
    name: 'a program (ELF)',
    hint: 'evidence is made by a program while it runs; casemate enclave inspect reads signed enclaves',
    is: magic(0, 0x7f, 0x45, 0x4c, 0x46),
  },
]

export const FOREIGN_BYTES: Form<Uint8Array> = {
  name: 'something else',
  open: bytes => {
    const found = FOREIGN.find(({ is }) => is(bytes))
    if (found !== undefined) throw unsupported(found.name, found.hint)
    return null
  },
}

/** sgx_quote_t of version 1 or 2: the signature's length stands behind the report body, and fits. */
function isEpid(bytes: Uint8Array): boolean {
  if (bytes.length < 436) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [version, kind] = [view.getUint16(0, true), view.getUint16(2, true)]
  if ((version !== 1 && version !== 2) || kind > 1) return false
  const size = view.getUint32(432, true)
  return size > 0 && 436 + size === bytes.length
}

const SEV_REPORT_SIZE = 0xd0
/** Signed by a PEK (1002h) with ECDSA and SHA-256 (2) or SHA-384 (102h) (AMD 55766, ATTESTATION). */
const PEK_USAGE = Uint8Array.of(0x02, 0x10, 0, 0)
const SEV_ALGORITHMS = [Uint8Array.of(2, 0, 0, 0), Uint8Array.of(2, 1, 0, 0)]

function isSevReport(bytes: Uint8Array): boolean {
  if (bytes.length !== SEV_REPORT_SIZE || !startsWith(bytes, PEK_USAGE, 52)) return false
  const algorithm = bytes.subarray(56, 60)
  return SEV_ALGORITHMS.some(it => equal(it, algorithm)) && isZero(bytes.subarray(60, 64))
}
