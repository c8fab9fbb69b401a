// `#gunzip` outside Node: browsers decompress streams only, which takes a caller that can wait.

import { unsupported } from '../forms/layer.ts'

/** @throws {Refusal} `evidence-unsupported`, always */
export function gunzip(_bytes: Uint8Array, _limit: number): Uint8Array | 'too-large' | 'malformed' {
  throw unsupported('compressed with gzip', 'decompress it first, e.g. with a DecompressionStream')
}
