// Evidence as people have it in files: binary, or written and wrapped by any of the tools and services that pass evidence
// on, layer by layer; `forms/` has the forms. For people only: a server knows what it was sent, and uses parse or
// parseKbsEvidence.

import { BYTE_FORMS } from './forms/bytes.ts'
import { JSON_FORMS } from './forms/json.ts'
import { KNOWN_EVIDENCE, type Layer, MAX_RECOGNISED_BYTES, openWith } from './forms/layer.ts'
import { refuseRivals } from './forms/rivals.ts'
import { TEXT_FORMS } from './forms/text.ts'
import { kindOf, type ParsedEvidence } from './kinds.ts'
import { type Beside, membersOf } from './members.ts'
import { Refusal } from './refusal.ts'
import { escapeUnfit, quoteUntrusted } from './untrusted-text.ts'

/** A saved answer has a request that holds evidence that holds base64 of JSON that holds a quote in hex. */
const MAX_LAYERS = 20
/** Of what is not known, as much is shown. */
const SHOWN_BYTES = 8
const SHOWN_CHARACTERS = 24
const SHOWN_MEMBERS = 5

/**
 * Recognises and parses evidence in any of its written forms. What is known and cannot be verified here is called by its
 * name.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function recognise(bytes: Uint8Array): ParsedEvidence {
  if (bytes.length > MAX_RECOGNISED_BYTES) {
    throw new Refusal('evidence-malformed', `the input is ${bytes.length} bytes`, {
      expected: `at most ${MAX_RECOGNISED_BYTES}`,
      got: `${bytes.length}`,
    })
  }
  const beside: Beside[] = []
  const others: Beside[] = []
  const evidence = openToEvidence({ is: 'bytes', bytes }, layer => {
    beside.push(...(layer.beside ?? []))
    others.push(...(layer.others ?? []))
  })
  refuseRivals(evidence, others, (layer, opened) =>
    openToEvidence(layer, inner => opened(inner, sizeOf(inner))),
  )
  return kindOf(evidence).withBeside(evidence, beside)
}

/** Layer by layer; `opened` sees each. @throws {Refusal} */
function openToEvidence(outermost: Layer, opened: (layer: Layer) => void): ParsedEvidence {
  const path: string[] = []
  let layer = outermost
  opened(layer)
  while (layer.is !== 'evidence') {
    if (path.length === MAX_LAYERS) throw unknownEvidence('something inside of too many wrappers', path)
    const found = open(layer)
    if (found === null) throw unknownEvidence(describe(layer), path)
    path.push(found.name)
    layer = found.layer
    opened(layer)
  }
  return layer.evidence
}

/** What is read of it; JSON was counted as the text that it was. */
function sizeOf(layer: Layer): number {
  return layer.is === 'bytes' ? layer.bytes.length : layer.is === 'text' ? layer.text.length : 0
}

function open(layer: Exclude<Layer, { is: 'evidence' }>): ReturnType<typeof openWith> {
  if (layer.is === 'bytes') return openWith(BYTE_FORMS, layer.bytes)
  return layer.is === 'text' ? openWith(TEXT_FORMS, layer.text) : openWith(JSON_FORMS, layer.value)
}

function describe(layer: Layer): string {
  if (layer.is === 'bytes') {
    const start = Array.from(layer.bytes.subarray(0, SHOWN_BYTES), it => it.toString(16).padStart(2, '0'))
    return layer.bytes.length === 0 ? 'nothing' : `bytes that begin with ${start.join(' ')}`
  }
  if (layer.is === 'text') {
    return `text that begins with ${escapeUnfit(JSON.stringify(layer.text.slice(0, SHOWN_CHARACTERS)))}`
  }
  const members = layer.is === 'json' ? membersOf(layer.value) : null
  if (members === null) return 'JSON that holds no evidence'
  const names = Object.keys(members)
  const shown = names.slice(0, SHOWN_MEMBERS).map(quoteUntrusted).join(', ')
  const more = names.length > SHOWN_MEMBERS ? ', …' : ''
  return names.length === 0 ? 'JSON without members' : `JSON with the members ${shown}${more}`
}

function unknownEvidence(got: string, path: readonly string[]): Refusal {
  // That it was text need not be said, nor how often JSON was in JSON.
  const names = [...path, got].filter(
    (name, index, all) => name !== 'text' && !(name === 'JSON' && all[index + 1]?.startsWith('JSON')),
  )
  const within = names.slice(0, -1).toReversed()
  return new Refusal('evidence-malformed', 'the input is no evidence that is known here', {
    expected: `${KNOWN_EVIDENCE}, in binary or in any form in which tools write them`,
    got: within.length === 0 ? got : `${got}, in ${within.slice(0, 4).join(' in ')}`,
  })
}
