// Bytes as digits: hex (bare, with 0x or 0X, with colons, spaces or line breaks between octets), lists of octets as in
// source code (`{ 0x04, 0x00, … }`, `4, 0, 2`, `"\x04\x00"`), and base64 of either alphabet. Texts are long: patterns over
// all of one test characters only, and the rest is split and looked at piece by piece.

import { fromBase64, fromHex } from '../bytes.ts'
import { damaged, type Form, type Layer, MAX_SLOW_TEXT } from './layer.ts'

const HEX = /^[0-9a-fA-F\s]+$/
const COLON_HEX = /^[0-9a-fA-F:\s]+$/
const ESCAPED_HEX = /^[0-9a-fA-F\\x\s]+$/
const BASE64 = /^[0-9A-Za-z+/_=\s-]+$/
const LIST = /^[0-9a-fA-FxX,\s]+$/
const OCTET = /^[0-9a-fA-F]{2}$/
const NUMBER = /^(?:0[xX][0-9a-fA-F]{1,2}|\d{1,3})$/
/** `unsigned char quote[] = {`, `[]byte{`, `const quote = [`: how far a list may begin. */
const MAX_LIST_HEAD = 200

/** Hex with something that base64 does not have. */
export const MARKED_HEX: Form<string> = {
  name: 'hex',
  open: text => {
    if (/^0x/i.test(text) && HEX.test(text.slice(2))) return hexLayer(text.slice(2))
    if (text.length > MAX_SLOW_TEXT) return null
    if (text.includes(':') && COLON_HEX.test(text)) return octetLayer(text.replace(/:\s*$/, '').split(':'))
    const bare = text.replace(/^b?["']/, '').replace(/["']$/, '')
    return bare.startsWith('\\x') && ESCAPED_HEX.test(bare) ? octetLayer(bare.split('\\x').slice(1)) : null
  },
}

/** Before base64, which such a text could also be: of evidence, base64 has other letters, too. */
export const HEX_DIGITS: Form<string> = {
  name: 'hex',
  open: text => {
    const bytes = HEX.test(text) ? fromHex(text.replaceAll(/\s+/g, '')) : null
    return bytes === null || bytes.length === 0 ? null : { is: 'bytes', bytes }
  },
}

export const BASE64_DIGITS: Form<string> = {
  name: 'base64',
  open: text => {
    const bytes = BASE64.test(text) ? fromBase64(text.replaceAll(/\s+/g, '')) : null
    return bytes === null || bytes.length === 0 ? null : { is: 'bytes', bytes }
  },
}

export const OCTET_LIST: Form<string> = {
  name: 'a list of octets',
  open: text => {
    if (text.length > MAX_SLOW_TEXT) return null
    const list = listIn(text)
    if (!list.includes(',') && !/^0x/i.test(list.trim())) return null
    if (!LIST.test(list)) return null
    const numbers = list.split(/[\s,]+/).filter(number => number !== '')
    if (numbers.length < 2) return null
    const wrong = numbers.find(number => !NUMBER.test(number) || Number(number) > 255)
    if (wrong !== undefined) throw damaged('the list of octets', 'numbers from 0 to 255', wrong.slice(0, 20))
    return { is: 'bytes', bytes: Uint8Array.from(numbers, Number) }
  },
}

/** What stands in the first braces, or in the last brackets that the beginning opens; else all of it. */
function listIn(text: string): string {
  const head = text.slice(0, MAX_LIST_HEAD)
  const brace = head.indexOf('{')
  const open = brace === -1 ? head.lastIndexOf('[') : brace
  if (open === -1) return text
  const close = text.indexOf(brace === -1 ? ']' : '}', open)
  return text.slice(open + 1, close === -1 ? text.length : close)
}

function octetLayer(parts: readonly string[]): Layer {
  const octets = parts.map(part => part.trim())
  const wrong = octets.find(octet => !OCTET.test(octet))
  if (wrong !== undefined) throw damaged('the hex', 'two digits for each byte', wrong.slice(0, 20))
  return { is: 'bytes', bytes: Uint8Array.from(octets, octet => Number.parseInt(octet, 16)) }
}

function hexLayer(text: string): Layer {
  const digits = text.replaceAll(/\s+/g, '')
  const bytes = fromHex(digits)
  if (bytes === null) throw damaged('the hex', 'two digits for each byte', `${digits.length} digits`)
  return { is: 'bytes', bytes }
}
