// The document, alone or in an envelope with a header before it; and what is in an element of anybody's.
import { ascii, isEqual } from '../memory'
import { attribute } from './attributes'
import { ENVELOPE, FOREIGN, frame, leaveTag, push, setParticle, stack, timesOf } from './frames'
import { input } from './input'
import { Space } from './namespaces'
import { isLocal, readTag, tag } from './tag'

/** The second type of the schema: what is in a document. */
const DOCUMENT_TYPE: u32 = 1
const WAS_READ: u32 = 0xffffffff
const definition = ascii('pacs.008.001.07')

export namespace envelope {
  export let hasDocument: bool = false
  /** Where the definition's name stands in a header, and how deep, or that it has been read. */
  export let definitionStart: usize = 0
  export let definitionDepth: u32 = 0
}

export function resetEnvelope(): void {
  envelope.hasDocument = false
  envelope.definitionDepth = 0
}

export function openRoot(): bool {
  if (input.at >= input.end || load<u8>(input.at) != 60) return false
  store<u16>(frame(0), ENVELOPE)
  if (!readTag()) return false
  if (isLocal('Document')) return openDocument()
  if (tag.isEmpty || attribute.ccy != 0) return false
  push(ENVELOPE, 0, 0, tag.start, tag.length)
  return true
}

function openDocument(): bool {
  if (tag.space != Space.message || envelope.hasDocument || tag.isEmpty || attribute.ccy != 0) return false
  envelope.hasDocument = true
  push(DOCUMENT_TYPE, 0, 0, tag.start, tag.length)
  return true
}

export function openInEnvelope(): bool {
  if (isLocal('Document')) return openDocument()
  if (!isLocal('AppHdr') || tag.space != Space.header || envelope.hasDocument) return false
  // One header, before the document.
  const at = frame(stack.depth)
  if (timesOf(at) != 0) return false
  setParticle(at, 0, 1)
  return openForeign(1)
}

/** `header` is 1 within a business application header. */
export function openForeign(header: u32): bool {
  if (tag.isEmpty) {
    leaveTag()
    return true
  }
  if (header == 1 && isLocal('MsgDefIdr') && envelope.definitionDepth == 0) {
    envelope.definitionDepth = stack.depth + 1
    envelope.definitionStart = input.at
  }
  push(FOREIGN, 0, header, tag.start, tag.length)
  return true
}

/** The header says which message follows: it must be this one. `until` is where the element's text ends. */
export function closeDefinition(until: usize): bool {
  if (until - envelope.definitionStart != 15 || !isEqual(envelope.definitionStart, definition, 15)) return false
  envelope.definitionDepth = WAS_READ
  return true
}
