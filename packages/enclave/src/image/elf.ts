// The SIGSTRUCTs in a signed SGX enclave (.signed.so): ELF64 section `.note.sgxmeta`, one note named `sgx_metadata`,
// in it one or more metadata structures of the SGX SDK, each with an enclave_css. Every offset is checked.
import { decodeUtf8 } from '@casemate/evidence/bytes'
import { viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { parseSigstruct, SIGSTRUCT_SIZE, type Sigstruct } from './sigstruct.ts'

const ELF64_LITTLE_ENDIAN = [0x7f, 0x45, 0x4c, 0x46, 2, 1]
const ELF_HEADER_SIZE = 64
const SECTION_HEADER_SIZE = 64
const SECTION = '.note.sgxmeta'
const NOTE_HEADER_SIZE = 12
const NOTE_NAME = 'sgx_metadata\0'

/** metadata_t of the SGX SDK. */
const METADATA_MAGIC = 0x86a80294635d0e4cn
const METADATA_SIZE_AT = 16
const METADATA_CSS_AT = 64
const METADATA_MIN_SIZE = METADATA_CSS_AT + SIGSTRUCT_SIZE

export function isElf(bytes: Uint8Array): boolean {
  return ELF64_LITTLE_ENDIAN.every((byte, index) => bytes[index] === byte)
}

/** One for each metadata structure, in the file’s order, at least one. @throws {EnclaveError} invalid-metadata */
export function readElfSigstructs(file: Uint8Array): readonly [Sigstruct, ...Sigstruct[]] {
  if (!isElf(file)) throw invalid('the file is not a little-endian ELF64 file')
  const metadata = readNote(findSection(file))
  const first = readMetadata(metadata, 0)
  const sigstructs: [Sigstruct, ...Sigstruct[]] = [first.sigstruct]
  for (let at = first.end; at < metadata.length; ) {
    // Structures are followed by nothing, or by padding.
    if (metadata.subarray(at).every(byte => byte === 0)) break
    const next = readMetadata(metadata, at)
    sigstructs.push(next.sigstruct)
    at = next.end
  }
  return sigstructs
}

function findSection(file: Uint8Array): Uint8Array {
  const header = viewOf(slice(file, 0, ELF_HEADER_SIZE, 'the ELF header'))
  const tableAt = Number(header.getBigUint64(40, true))
  const entrySize = header.getUint16(58, true)
  const count = header.getUint16(60, true)
  const namesIndex = header.getUint16(62, true)
  if (entrySize !== SECTION_HEADER_SIZE || namesIndex >= count)
    throw invalid('the section table is malformed')
  const section = (index: number): DataView =>
    viewOf(slice(file, tableAt + index * SECTION_HEADER_SIZE, SECTION_HEADER_SIZE, 'a section header'))
  const content = (header: DataView): Uint8Array =>
    slice(file, Number(header.getBigUint64(24, true)), Number(header.getBigUint64(32, true)), 'a section')
  const names = content(section(namesIndex))
  const found: DataView[] = []
  for (let index = 0; index < count; index++) {
    const candidate = section(index)
    if (nameAt(names, candidate.getUint32(0, true)) === SECTION) found.push(candidate)
  }
  const [only] = found
  if (only === undefined || found.length !== 1) {
    throw invalid(`the file has ${found.length} sections ${SECTION}, want one`, 'is it a signed enclave?')
  }
  return content(only)
}

function nameAt(names: Uint8Array, offset: number): string | null {
  const end = names.indexOf(0, offset)
  return end < 0 ? null : decodeUtf8(names.subarray(offset, end))
}

function readNote(section: Uint8Array): Uint8Array {
  const header = viewOf(slice(section, 0, NOTE_HEADER_SIZE, 'the note'))
  const nameSize = header.getUint32(0, true)
  const size = header.getUint32(4, true)
  const name = slice(section, NOTE_HEADER_SIZE, nameSize, 'the name of the note')
  if (decodeUtf8(name) !== NOTE_NAME) throw invalid('the note is not named sgx_metadata')
  return slice(section, NOTE_HEADER_SIZE + nameSize, size, 'the metadata')
}

function readMetadata(metadata: Uint8Array, at: number): { sigstruct: Sigstruct; end: number } {
  const header = viewOf(slice(metadata, at, METADATA_MIN_SIZE, 'a metadata structure'))
  const magic = header.getBigUint64(0, true)
  if (magic !== METADATA_MAGIC) throw invalid(`the magic of the metadata is ${magic.toString(16)}`)
  const size = header.getUint32(METADATA_SIZE_AT, true)
  const structure = slice(metadata, at, size, 'a metadata structure')
  // Parsing refuses where the structure is too small to hold it.
  const css = structure.subarray(METADATA_CSS_AT, METADATA_CSS_AT + SIGSTRUCT_SIZE)
  return { sigstruct: parseSigstruct(css), end: at + size }
}

function slice(bytes: Uint8Array, at: number, size: number, what: string): Uint8Array {
  if (at + size > bytes.length) throw invalid(`${what} at ${at} reaches beyond the end`)
  return bytes.subarray(at, at + size)
}

function invalid(message: string, hint?: string): EnclaveError {
  return new EnclaveError('invalid-metadata', message, hint === undefined ? {} : { hint })
}
