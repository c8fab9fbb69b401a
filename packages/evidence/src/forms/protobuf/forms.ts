// The three written forms of Google's messages as forms of evidence. What is not a whole message of one of them is another
// form; a whole one with a field of another size is damaged.

import { membersOf } from '../../members.ts'
import { damaged, type Form, type Layer } from '../layer.ts'
import type { FieldMap } from './fields.ts'
import { camelCase, decodeProtoJson } from './json.ts'
import { type Message, SNP_ATTESTATION, SNP_REPORT, TDX_QUOTES } from './schema.ts'
import { encodeSnpAttestation, encodeSnpReport } from './snp.ts'
import { encodeTdxQuote } from './tdx.ts'
import { decodeText } from './text.ts'
import { decodeWire } from './wire.ts'

interface Known {
  readonly message: Message
  /** Fields that only such a message has. */
  readonly marks: readonly string[]
  readonly encode: (map: FieldMap) => Layer
}

const bytes = (encoded: Uint8Array): Layer => ({ is: 'bytes', bytes: encoded })

const KNOWN: readonly Known[] = [
  {
    message: TDX_QUOTES[4],
    marks: ['header', 'td_quote_body', 'signed_data'],
    encode: map => bytes(encodeTdxQuote(map)),
  },
  {
    message: TDX_QUOTES[5],
    marks: ['header', 'td_quote_body_descriptor', 'signed_data'],
    encode: map => bytes(encodeTdxQuote(map)),
  },
  {
    message: SNP_ATTESTATION,
    marks: ['report'],
    encode: map => {
      const { report, beside } = encodeSnpAttestation(map)
      return { is: 'bytes', bytes: report, beside }
    },
  },
  {
    message: SNP_REPORT,
    marks: ['version', 'measurement', 'report_data', 'signature'],
    encode: map => bytes(encodeSnpReport(map)),
  },
]

const NAME = 'a protobuf of go-tdx-guest or go-sev-guest'

function encodeFirst(decode: (message: Message) => FieldMap | null): Layer | null {
  for (const { message, marks, encode } of KNOWN) {
    const map = decode(message)
    if (map !== null && marks.every(name => map.values.has(name))) return encode(map)
  }
  return null
}

/** A message begins with its first field, whose tag is no character but a line feed or a backspace. */
export const PROTO_WIRE: Form<Uint8Array> = {
  name: NAME,
  open: input => {
    if (input[0] !== 0x0a && input[0] !== 0x08) return null
    return encodeFirst(message => decodeWire(input, message))
  },
}

const FIRST_FIELD = /^(?:#[^\n]*\n\s*)*(header|report|version|guest_svn|policy)\s*[:{<]/
/** As far as comments go before it: patterns over a long text need a stack for it. */
const MAX_HEAD = 16_384

export const PROTO_TEXT: Form<string> = {
  name: `${NAME}, as text`,
  open: text => {
    const [, first] = FIRST_FIELD.exec(text.slice(0, MAX_HEAD)) ?? []
    if (first === undefined) return null
    const layer = encodeFirst(message => decodeText(text, message))
    const isSurelyOne = first === 'header' && /\bqe_vendor_id\b|\btd_quote_body\b/.test(text)
    if (layer === null && isSurelyOne) throw damaged('the protobuf text', 'one whole message', 'another')
    return layer
  },
}

export const PROTO_JSON: Form<unknown> = {
  name: `${NAME}, as JSON`,
  open: value => {
    const members = membersOf(value)
    if (members === null) return null
    const { header, report } = members
    const isMessage =
      membersOf(header) !== null ||
      membersOf(report) !== null ||
      SIGNED.every(name => name in members || camelCase(name) in members)
    return isMessage ? encodeFirst(message => decodeProtoJson(members, message)) : null
  },
}

const SIGNED = ['measurement', 'chip_id', 'signature_algo'] as const
