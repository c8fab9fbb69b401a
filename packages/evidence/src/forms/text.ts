// Forms of text, in the order in which they are tried: what begins in a way of its own first, digits last.

import { FILE_JSON, type JsonFault, type JsonLimits, jsonFault } from '../json-structure.ts'
import { Refusal } from '../refusal.ts'
import { quoteUntrusted } from '../untrusted-text.ts'
import { ARMOUR, JSON_WEB_TOKEN } from './armour.ts'
import { BASE64_DIGITS, HEX_DIGITS, MARKED_HEX, OCTET_LIST } from './digits.ts'
import { HEXDUMP } from './hexdump.ts'
import { SAVED_ANSWER } from './http-answer.ts'
import { damaged, type Form } from './layer.ts'
import { PROTO_TEXT } from './protobuf/forms.ts'

const JSON_DOCUMENT: Form<string> = {
  name: 'JSON',
  open: text => {
    if (!/^[{["]/.test(text) || isListOfHex(text)) return null
    const fault = jsonFault(text, FILE_JSON)
    if (fault !== null) throw refusalOf(fault)
    try {
      return { is: 'json', value: JSON.parse(text) as unknown }
    } catch (error) {
      if (text.startsWith('[')) return null
      throw new Refusal('evidence-malformed', 'the text begins like JSON and is not', { cause: error })
    }
  },
}

const WORDS: Readonly<Record<keyof JsonLimits, string>> = {
  depth: 'arrays and objects in each other',
  structure: 'arrays, objects and members',
  elements: 'elements',
  beside: 'characters beside texts',
  escapes: 'escapes',
}

function refusalOf(found: JsonFault): Refusal {
  return found.fault === 'twice'
    ? damaged('the JSON', 'every member once', `${quoteUntrusted(found.name)} twice in one object`)
    : damaged('the JSON', `${WORDS[found.limit]} up to ${FILE_JSON[found.limit]}`, 'more in it')
}

/** `{ 0x04, …` and `[0x04, …`: a list in source code. */
function isListOfHex(text: string): boolean {
  return /^[{[]\s*0[xX]|^\{\s*\d|^"\\x/.test(text)
}

export const TEXT_FORMS: readonly Form<string>[] = [
  SAVED_ANSWER,
  JSON_DOCUMENT,
  // Before armour, as the certificates of a quote are PEM in its text.
  PROTO_TEXT,
  // Before armour, too: the column of text can show anything.
  HEXDUMP,
  ARMOUR,
  JSON_WEB_TOKEN,
  MARKED_HEX,
  OCTET_LIST,
  HEX_DIGITS,
  BASE64_DIGITS,
]
