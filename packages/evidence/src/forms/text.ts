// Forms of text, in the order in which they are tried: what begins in a way of its own first, digits last.

import { type JsonFault, type JsonLimits, jsonFault } from '../json-structure.ts'
import { Refusal } from '../refusal.ts'
import { quoteUntrusted } from '../untrusted-text.ts'
import { ARMOUR, JSON_WEB_TOKEN } from './armour.ts'
import { BASE64_DIGITS, HEX_DIGITS, MARKED_HEX, OCTET_LIST } from './digits.ts'
import { HEXDUMP } from './hexdump.ts'
import { damaged, type Form } from './layer.ts'
import { PROTO_TEXT } from './protobuf/forms.ts'

/** The first line of what `curl -i` saves. */
const HTTP_ANSWER = /^HTTP\/[\d.]+ \d{3}[^\n]*\n/

/** An octet can be an element, and in objects that were typed arrays a member; event logs have as many. */
const EVIDENCE_JSON: JsonLimits = { depth: 64, structure: 131_072, elements: 2_097_152 }

const JSON_DOCUMENT: Form<string> = {
  name: 'JSON',
  open: text => {
    if (!/^[{["]/.test(text) || isListOfHex(text)) return null
    const fault = jsonFault(text, EVIDENCE_JSON)
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
    : damaged('the JSON', `${WORDS[found.limit]} up to ${EVIDENCE_JSON[found.limit]}`, 'more in it')
}

/** `{ 0x04, …` and `[0x04, …`: a list in source code. */
function isListOfHex(text: string): boolean {
  return /^[{[]\s*0[xX]|^\{\s*\d|^"\\x/.test(text)
}

const SAVED_ANSWER: Form<string> = {
  name: 'a saved HTTP answer',
  open: text => {
    const end = HTTP_ANSWER.test(text) ? /\r?\n\r?\n/.exec(text) : null
    return end === null ? null : { is: 'text', text: text.slice(end.index).trim() }
  },
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
