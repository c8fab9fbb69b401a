// SIGSTRUCT: the signature of an SGX enclave, 1,808 bytes (Intel SDM volume 3D, table 38-19), little-endian throughout.
// Parsing decides shape and nothing else; who signed is for `verifySigstruct`.

import { concat, equal, isZero, toHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'

/** In bytes. */
export const SIGSTRUCT_SIZE = 1808
/** RSA-3072: modulus, signature, q1 and q2, in bytes. */
export const RSA_SIZE = 384

const HEADER = Uint8Array.of(6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
const HEADER2 = Uint8Array.of(1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0)
const EXPONENT = 3

/** Where each field begins. */
const AT = {
  header: 0,
  vendor: 16,
  date: 20,
  header2: 24,
  swDefined: 40,
  reserved1: 44,
  modulus: 128,
  exponent: 512,
  signature: 516,
  miscSelect: 900,
  miscMask: 904,
  cetAttributes: 908,
  cetAttributesMask: 909,
  reserved2: 910,
  isvFamilyId: 912,
  attributes: 928,
  attributeMask: 944,
  enclaveHash: 960,
  reserved3: 992,
  isvExtProdId: 1008,
  isvProdId: 1024,
  isvSvn: 1026,
  reserved4: 1028,
  q1: 1040,
  q2: 1424,
} as const

/** ATTRIBUTES.DEBUG: the enclave may be debugged, which means that it keeps no secret. */
export const ATTRIBUTE_DEBUG = 0x2n

/** ATTRIBUTES of an enclave (SDM volume 3D, 38.7.1). */
export interface Attributes {
  readonly flags: bigint
  readonly xfrm: bigint
}

/** What is signed: everything but the key, the signature and q1 and q2. */
export interface SigstructBody {
  /** 0x8086 for enclaves of Intel, 0 for others. */
  readonly vendor: number
  /** Day of signing, yyyymmdd. */
  readonly date: string
  readonly swDefined: number
  readonly miscSelect: number
  readonly miscMask: number
  readonly cetAttributes: number
  readonly cetAttributesMask: number
  /** 16 bytes. */
  readonly isvFamilyId: Uint8Array
  readonly attributes: Attributes
  /** Which bits of the attributes the signer insists on. */
  readonly attributeMask: Attributes
  /** 32 bytes: the measurement. */
  readonly enclaveHash: Uint8Array
  /** 16 bytes. */
  readonly isvExtProdId: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
}

/** A SIGSTRUCT as it stands in its bytes; UNVERIFIED. */
export interface Sigstruct extends SigstructBody {
  /** All 1,808 bytes. */
  readonly bytes: Uint8Array
  /** 384 bytes, little-endian. */
  readonly modulus: Uint8Array
  /** 384 bytes, little-endian. */
  readonly signature: Uint8Array
  readonly q1: Uint8Array
  readonly q2: Uint8Array
  /** The 256 bytes that are signed. */
  readonly signedBytes: Uint8Array
  /** The DEBUG bit of the attributes. */
  readonly debug: boolean
}

/** @throws {Refusal} `enclave-malformed` */
export function parseSigstruct(bytes: Uint8Array): Sigstruct {
  if (bytes.length !== SIGSTRUCT_SIZE) {
    throw invalid('the SIGSTRUCT', `${SIGSTRUCT_SIZE} bytes`, `${bytes.length} bytes`)
  }
  // A copy that the caller cannot change; slice() of a Buffer would share its memory.
  const own = new Uint8Array(bytes)
  const at = (offset: number, size: number): Uint8Array => own.subarray(offset, offset + size)
  checkConstants(at)
  const body = readBody(at)
  const modulus = at(AT.modulus, RSA_SIZE)
  return {
    ...body,
    bytes: own,
    modulus,
    signature: at(AT.signature, RSA_SIZE),
    q1: at(AT.q1, RSA_SIZE),
    q2: at(AT.q2, RSA_SIZE),
    signedBytes: concat(at(0, 128), at(AT.miscSelect, 128)),
    debug: (body.attributes.flags & ATTRIBUTE_DEBUG) !== 0n,
  }
}

type At = (offset: number, size: number) => Uint8Array

/** EINIT refuses every other value of these. */
function checkConstants(at: At): void {
  const constants = [
    ['HEADER', at(AT.header, 16), HEADER],
    ['HEADER2', at(AT.header2, 16), HEADER2],
  ] as const
  for (const [name, got, wanted] of constants) {
    if (!equal(got, wanted)) throw invalid(name, toHex(wanted), toHex(got))
  }
  const exponent = viewOf(at(AT.exponent, 4)).getUint32(0, true)
  if (exponent !== EXPONENT) throw invalid('EXPONENT', String(EXPONENT), String(exponent))
  const reserved = [
    [AT.reserved1, 84],
    [AT.reserved2, 2],
    [AT.reserved3, 16],
    [AT.reserved4, 12],
  ] as const
  for (const [offset, size] of reserved) {
    const got = at(offset, size)
    if (!isZero(got)) throw invalid(`the reserved field at ${offset}`, `${size} zero bytes`, toHex(got))
  }
}

function readBody(at: At): SigstructBody {
  const view = viewOf(at(0, SIGSTRUCT_SIZE))
  const attributesAt = (offset: number): Attributes => ({
    flags: view.getBigUint64(offset, true),
    xfrm: view.getBigUint64(offset + 8, true),
  })
  const date = view.getUint32(AT.date, true).toString(16).padStart(8, '0')
  if (!isDate(date)) throw invalid('DATE', 'a day as yyyymmdd', date)
  return {
    vendor: view.getUint32(AT.vendor, true),
    date,
    swDefined: view.getUint32(AT.swDefined, true),
    miscSelect: view.getUint32(AT.miscSelect, true),
    miscMask: view.getUint32(AT.miscMask, true),
    cetAttributes: view.getUint8(AT.cetAttributes),
    cetAttributesMask: view.getUint8(AT.cetAttributesMask),
    isvFamilyId: at(AT.isvFamilyId, 16),
    attributes: attributesAt(AT.attributes),
    attributeMask: attributesAt(AT.attributeMask),
    enclaveHash: at(AT.enclaveHash, 32),
    isvExtProdId: at(AT.isvExtProdId, 16),
    isvProdId: view.getUint16(AT.isvProdId, true),
    isvSvn: view.getUint16(AT.isvSvn, true),
  }
}

/** A SIGSTRUCT with everything but key and signature, which are zero. @throws {Refusal} `enclave-malformed` */
export function encodeSigstructBody(body: SigstructBody): Uint8Array {
  if (!isDate(body.date)) throw invalid('DATE', 'a day as yyyymmdd', JSON.stringify(body.date))
  const bytes = new Uint8Array(SIGSTRUCT_SIZE)
  const view = viewOf(bytes)
  bytes.set(HEADER, AT.header)
  view.setUint32(AT.vendor, body.vendor, true)
  view.setUint32(AT.date, Number.parseInt(body.date, 16), true)
  bytes.set(HEADER2, AT.header2)
  view.setUint32(AT.swDefined, body.swDefined, true)
  view.setUint32(AT.exponent, EXPONENT, true)
  view.setUint32(AT.miscSelect, body.miscSelect, true)
  view.setUint32(AT.miscMask, body.miscMask, true)
  view.setUint8(AT.cetAttributes, body.cetAttributes)
  view.setUint8(AT.cetAttributesMask, body.cetAttributesMask)
  bytes.set(body.isvFamilyId, AT.isvFamilyId)
  for (const [offset, attributes] of [
    [AT.attributes, body.attributes],
    [AT.attributeMask, body.attributeMask],
  ] as const) {
    view.setBigUint64(offset, attributes.flags, true)
    view.setBigUint64(offset + 8, attributes.xfrm, true)
  }
  bytes.set(body.enclaveHash, AT.enclaveHash)
  bytes.set(body.isvExtProdId, AT.isvExtProdId)
  view.setUint16(AT.isvProdId, body.isvProdId, true)
  view.setUint16(AT.isvSvn, body.isvSvn, true)
  return bytes
}

/** What a signature adds to a SIGSTRUCT, each 384 bytes, little-endian. */
export interface SigstructSignature {
  readonly modulus: Uint8Array
  readonly signature: Uint8Array
  readonly q1: Uint8Array
  readonly q2: Uint8Array
}

export function completeSigstruct(body: SigstructBody, signed: SigstructSignature): Uint8Array {
  const bytes = encodeSigstructBody(body)
  for (const name of ['modulus', 'signature', 'q1', 'q2'] as const) bytes.set(signed[name], AT[name])
  return bytes
}

/** The 256 bytes that are signed. */
export function signedBytesOfSigstruct(body: SigstructBody): Uint8Array {
  const bytes = encodeSigstructBody(body)
  return concat(bytes.subarray(0, 128), bytes.subarray(AT.miscSelect, AT.miscSelect + 128))
}

function isDate(text: string): boolean {
  if (!/^\d{8}$/.test(text)) return false
  const iso = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`
  const day = new Date(`${iso}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(iso)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function invalid(what: string, expected: string, got: string): Refusal {
  return new Refusal('enclave-malformed', `${what} is ${got}, want ${expected}`, { expected, got })
}
