// Reads one message: XML 1.0 with namespaces, in one pass, held against the schema as it goes. Refused: a document type
// (and with it every entity but XML's own), other encodings than UTF-8, and what exceeds the bounds of these files.
import { Bytes, checkBytes } from '../text'
import { readProlog } from './declaration'
import { readElements } from './elements'
import { envelope, openRoot, resetEnvelope } from './envelope'
import { stack } from './frames'
import { input, skipMisc } from './input'
import { resetScope } from './namespaces'

/** Where reading stopped, as an offset in bytes. */
export let stoppedAt: u32 = 0

/** Whether it is a valid message; its parts have been kept by message.ts. May read 32 bytes behind the end. */
export function readMessage(from: usize, until: usize): bool {
  input.at = from
  input.end = until
  stack.depth = 0
  resetScope()
  resetEnvelope()
  const bytes = checkBytes(from, until)
  input.isAscii = bytes == Bytes.ascii
  const ok = bytes != Bytes.invalid && readWhole()
  stoppedAt = <u32>(input.at - from)
  return ok
}

function readWhole(): bool {
  return readProlog() && openRoot() && readElements() && envelope.hasDocument && skipMisc() && input.at == input.end
}
