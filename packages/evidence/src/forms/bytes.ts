// Forms of bytes, in the order in which they are tried: what is told by its first bytes, then evidence, then text.

import { decodeUtf8 } from '../bytes.ts'
import { parse } from '../parse.ts'
import { Refusal } from '../refusal.ts'
import { DSTACK } from './dstack.ts'
import { FOREIGN_BYTES } from './foreign-bytes.ts'
import { GZIP } from './gzip.ts'
import { OPEN_ENCLAVE, SNP_RESPONSE } from './headers.ts'
import type { Form } from './layer.ts'
import { PROTO_WIRE } from './protobuf/forms.ts'

const BINARY: Form<Uint8Array> = {
  name: 'evidence',
  open: bytes => {
    if (!looksBinary(bytes)) return null
    if (wasText(bytes)) {
      throw new Refusal('evidence-malformed', 'the bytes were taken for text and written again as UTF-8', {
        expected: 'the bytes as they were made',
        got: 'UTF-8 all through, which no signature is',
        hint: 'what was lost does not come back: copy it as bytes, or in base64',
      })
    }
    return { is: 'evidence', evidence: parse(bytes) }
  },
}

/** Versions that are not read here are told apart from text as well: they are below 16, in two or four bytes. */
function looksBinary(bytes: Uint8Array): boolean {
  const [low = 0, high] = bytes
  return low < 16 && high === 0
}

/** Signatures and keys are never UTF-8 by chance; what is ASCII alone may be a template. */
function wasText(bytes: Uint8Array): boolean {
  return bytes.some(byte => byte > 0x7f) && decodeUtf8(bytes) !== null
}

const UTF16 = new TextDecoder('utf-16le')

/** UTF-8, or what PowerShell's `>` writes. */
const TEXT: Form<Uint8Array> = {
  name: 'text',
  open: bytes => {
    const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
    const text = (isUtf16 ? UTF16.decode(bytes) : decodeUtf8(bytes))?.replace(/^\uFEFF/, '').trim()
    return text === undefined || text === '' ? null : { is: 'text', text }
  },
}

export const BYTE_FORMS: readonly Form<Uint8Array>[] = [
  GZIP,
  OPEN_ENCLAVE,
  SNP_RESPONSE,
  DSTACK,
  FOREIGN_BYTES,
  PROTO_WIRE,
  BINARY,
  TEXT,
]
