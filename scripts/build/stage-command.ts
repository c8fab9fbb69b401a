// The command as it is published: bundled, so that nothing is installed with it but what stays outside of the bundle, the
// compiler of enclaves, which is optional.
import { join } from 'node:path'
import { bundleCommand, ENTRY, OUTSIDE } from './command.ts'
import { builtManifest, type Manifest } from './manifest.ts'
import type { Room } from './rooms.ts'
import { openFolder, type Places, writeManifest } from './stage.ts'

export async function stageCommand(
  room: Room,
  rooms: readonly Room[],
  { root, out }: Omit<Places, 'compiled'>,
): Promise<void> {
  const folder = openFolder(room, { root, out })
  await bundleCommand(root, join(folder, 'lib'))
  writeManifest(folder, commandManifest(room.manifest, rooms))
}

/** With the versions that our packages pin of what stays outside. */
export function commandManifest(source: Manifest, rooms: readonly Room[]): Readonly<Record<string, unknown>> {
  const { dependencies: _inside, ...manifest } = builtManifest(source)
  const pinned = rooms.flatMap(({ manifest: { dependencies, optionalDependencies } }) =>
    Object.entries({ ...dependencies, ...optionalDependencies }),
  )
  return {
    ...manifest,
    bin: Object.fromEntries(Object.keys(source.bin ?? {}).map(name => [name, `lib/${ENTRY}`])),
    optionalDependencies: Object.fromEntries(pinned.filter(([name]) => OUTSIDE.includes(name))),
    files: ['lib'],
  }
}
