// A manifest and an image that are right in everything, for tests to break in one place.
import { encodeImage } from '../../src/image/image.ts'
import type { Manifest } from '../../src/image/manifest.ts'

export const MANIFEST: Manifest = {
  name: 'sample',
  isvProdId: 7,
  isvSvn: 3,
  debug: false,
  memoryPages: 2,
  threads: 1,
  exports: ['echo'],
  imports: [],
  configuration: { greeting: 'grüße' },
  secrets: [],
}
/** The eight bytes that every module begins with, and nothing else. */
export const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
export const IMAGE = encodeImage(MANIFEST, EMPTY_MODULE)
