// The command as it is published: bundled, so that nothing is installed with it but what stays outside of the bundle, the
// compiler of enclaves, which is optional.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleCommand, ENTRY, OUTSIDE } from './command.ts'
import { builtManifest, type Manifest } from './manifest.ts'
import type { Room } from './rooms.ts'
import { folderOf, type Places } from './stage.ts'

export async function stageCommand(
  room: Room,
  rooms: readonly Room[],
  { root, out }: Omit<Places, 'compiled'>,
): Promise<void> {
  const folder = folderOf(room, out)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await bundleCommand(root, join(folder, 'lib'))
  for (const file of [join(root, 'LICENSE'), join(room.folder, 'README.md')]) {
    if (existsSync(file)) cpSync(file, join(folder, file.endsWith('LICENSE') ? 'LICENSE' : 'README.md'))
  }
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify(commandManifest(room.manifest, rooms), null, 2)}\n`,
  )
}

/** With the versions that our packages pin of what stays outside. */
export function commandManifest(source: Manifest, rooms: readonly Room[]): Readonly<Record<string, unknown>> {
  const { dependencies: _inside, ...manifest } = builtManifest(source)
  const pinned = rooms.flatMap(({ manifest: { dependencies, optionalDependencies } }) =>
    Object.entries({ ...dependencies, ...(optionalDependencies as Record<string, string> | undefined) }),
  )
  return {
    ...manifest,
    bin: Object.fromEntries(Object.keys(source.bin ?? {}).map(name => [name, `lib/${ENTRY}`])),
    optionalDependencies: Object.fromEntries(pinned.filter(([name]) => OUTSIDE.includes(name))),
    files: ['lib'],
  }
}
