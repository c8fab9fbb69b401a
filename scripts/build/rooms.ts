// The packages of the house, as their folders and manifests say.
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Manifest } from './manifest.ts'

export interface Room {
  /** Of the folder below `packages/`: `evidence`, `cli`. */
  readonly name: string
  readonly folder: string
  readonly manifest: Manifest
}

export function roomsOf(root: string): readonly Room[] {
  return globSync('packages/*/package.json', { cwd: root })
    .toSorted()
    .map(path => {
      const folder = join(root, dirname(path))
      return {
        name: basename(folder),
        folder,
        manifest: JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest,
      }
    })
}
