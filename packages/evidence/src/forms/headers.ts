// Headers in front of evidence: OE_REPORT_HEADER of Open Enclave, and MSG_REPORT_RSP of AMD's firmware, which is what the
// kernel's SNP_GET_REPORT copies to its caller (AMD 56860, 7.3).

import { isZero } from '../bytes.ts'
import { damaged, type Form, unsupported } from './layer.ts'

const OE_HEADER_SIZE = 16
const OE_VERSION = 1
/** Remote attestation. */
const OE_REMOTE = 2
/** A report that is good on its own machine only. */
const OE_LOCAL = 1

export const OPEN_ENCLAVE: Form<Uint8Array> = {
  name: 'an Open Enclave header',
  open: bytes => {
    if (bytes.length < OE_HEADER_SIZE) return null
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (view.getUint32(0, true) !== OE_VERSION) return null
    const kind = view.getUint32(4, true)
    const size = view.getBigUint64(8, true)
    if (kind === OE_LOCAL && size <= BigInt(bytes.length - OE_HEADER_SIZE) && size > 0n) {
      throw unsupported('a local report of Open Enclave', 'ask the enclave for a remote one')
    }
    if (kind !== OE_REMOTE) return null
    if (size > BigInt(bytes.length - OE_HEADER_SIZE)) {
      throw damaged(
        'what follows the Open Enclave header',
        `${size} bytes`,
        `${bytes.length - OE_HEADER_SIZE}`,
      )
    }
    return { is: 'bytes', bytes: bytes.subarray(OE_HEADER_SIZE, OE_HEADER_SIZE + Number(size)) }
  },
}

const RESPONSE_HEADER_SIZE = 32
const REPORT_SIZE = 1184

export const SNP_RESPONSE: Form<Uint8Array> = {
  name: 'the answer of AMD’s firmware',
  open: bytes => {
    if (bytes.length < RESPONSE_HEADER_SIZE + REPORT_SIZE) return null
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const isReport = view.getUint32(0, true) === 0 && view.getUint32(4, true) === REPORT_SIZE
    if (!isReport || !isZero(bytes.subarray(8, RESPONSE_HEADER_SIZE))) return null
    return {
      is: 'bytes',
      bytes: bytes.subarray(RESPONSE_HEADER_SIZE, RESPONSE_HEADER_SIZE + REPORT_SIZE),
    }
  },
}
