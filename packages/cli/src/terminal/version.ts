// The version of this Casemate.

import { readFileSync } from 'node:fs'

/** The version in the manifest, which all packages share. */
export function version(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
