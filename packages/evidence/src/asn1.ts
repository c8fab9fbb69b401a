// What the rooms above read and write ASN.1 with: one strict reader, one strict writer, and certificates on top.

export { DerElement, DerReader, explicitTag, TAG } from './der.ts'
export {
  bitString,
  boolean,
  element,
  enumerated,
  explicit,
  ia5String,
  implicit,
  nullValue,
  octetString,
  oid,
  printableString,
  sequence,
  setOfOne,
  time,
  unsigned,
  utf8String,
} from './der-writer.ts'
export { readExtensions } from './x509.ts'
export {
  authority,
  type CertificateTemplate,
  type Extension,
  encodeCertificate,
  encodeExtensions,
  encodeName,
  encodeSigned,
  endEntity,
  extension,
  keyUsage,
  type Name,
  type StructureSigner,
  type Validity,
} from './x509-writer.ts'
