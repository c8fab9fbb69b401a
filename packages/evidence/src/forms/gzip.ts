// gzip (RFC 1952). The output is bounded: what would become larger is refused as soon as it does.

import { gunzip } from '#gunzip'
import { damaged, type Form, MAX_RECOGNISED_BYTES } from './layer.ts'

export const GZIP: Form<Uint8Array> = {
  name: 'gzip',
  open: bytes => {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return null
    const content = gunzip(bytes, MAX_RECOGNISED_BYTES)
    if (content === 'too-large') {
      throw damaged('the gzip', `a content of at most ${MAX_RECOGNISED_BYTES} bytes`, 'more than that')
    }
    if (content === 'malformed') throw damaged('the gzip', 'one whole stream', 'no or only a part of one')
    return { is: 'bytes', bytes: content }
  },
}
