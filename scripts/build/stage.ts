// One package as it is published, in a folder of its own: compiled code with its sources, what its manifest names besides,
// licence, and the manifest that is derived from the source's.
import { cpSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { settle } from './compile.ts'
import { builtManifest } from './manifest.ts'
import type { Room } from './rooms.ts'

export interface Places {
  /** Of the sources. */
  readonly root: string
  /** Where all is built. */
  readonly out: string
  /** What the compiler made of all packages; nothing of it is left there. */
  readonly compiled: string
}

/** Where a package is built. */
export function folderOf(room: Room, out: string): string {
  return join(out, 'packages', room.name)
}

/** The package's folder, made anew, with what each package has. */
export function openFolder(room: Room, { root, out }: Omit<Places, 'compiled'>): string {
  const folder = folderOf(room, out)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  cpSync(join(room.folder, 'README.md'), join(folder, 'README.md'))
  return folder
}

export function writeManifest(folder: string, manifest: Readonly<Record<string, unknown>>): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

export function stageRoom(room: Room, { root, out, compiled }: Places): void {
  const folder = openFolder(room, { root, out })
  const lib = join(folder, 'lib')
  for (const name of ['src', ...(room.manifest.files ?? [])]) {
    cpSync(join(room.folder, name), join(folder, name), { recursive: true })
  }
  renameSync(join(compiled, room.name, 'src'), lib)
  settle(lib)
  // What is JavaScript in the source already.
  for (const path of globSync('**/*.mjs', { cwd: join(folder, 'src') })) {
    cpSync(join(folder, 'src', path), join(lib, path))
  }
  writeManifest(folder, builtManifest(room.manifest))
}
