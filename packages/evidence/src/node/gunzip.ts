// `#gunzip` in Node: zlib stops when the output is larger than it may be.

import { gunzipSync } from 'node:zlib'

/** The content of a gzip stream of at most `limit` bytes. */
export function gunzip(bytes: Uint8Array, limit: number): Uint8Array | 'too-large' | 'malformed' {
  try {
    return new Uint8Array(gunzipSync(bytes, { maxOutputLength: limit }))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'too-large'
    if (code.startsWith('Z_') || error instanceof TypeError) return 'malformed'
    throw error
  }
}
