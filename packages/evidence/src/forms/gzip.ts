// gzip (RFC 1952). The output is bounded: what would become larger is refused as soon as it does.

import { gunzip } from '#gunzip'
import { damaged, type Form } from './layer.ts'

/** JSON with an event log is some 2 MiB; a small input can make much work of what is larger. */
export const MAX_GUNZIPPED_BYTES = 4 * 1024 * 1024

export const GZIP: Form<Uint8Array> = {
  name: 'gzip',
  open: bytes => {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return null
    const content = gunzip(bytes, MAX_GUNZIPPED_BYTES)
    if (content === 'too-large') {
      throw damaged('the gzip', `a content of at most ${MAX_GUNZIPPED_BYTES} bytes`, 'more than that')
    }
    if (content === 'malformed') throw damaged('the gzip', 'one whole stream', 'no or only a part of one')
    return { is: 'bytes', bytes: content }
  },
}
