// The tarballs, by npm: what `npm publish` would send. npm leaves out times and owners, so that the same files give the
// same bytes.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Room } from './rooms.ts'
import { folderOf } from './stage.ts'

/** `casemate-evidence-0.1.0.tgz`, as npm names it. */
export function tarballOf({ manifest }: Room, out: string): string {
  const name = manifest.name.replace('@', '').replace('/', '-')
  return join(out, 'tarballs', `${name}-${manifest.version}.tgz`)
}

/** @throws {Error} where npm does not */
export function packRooms(rooms: readonly Room[], out: string): void {
  const to = join(out, 'tarballs')
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  const folders = rooms.map(room => folderOf(room, out))
  const isWindows = process.platform === 'win32'
  const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', to, ...folders]
  const { status } = spawnSync(isWindows ? 'npm.cmd' : 'npm', args, {
    cwd: out,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: isWindows,
  })
  if (status !== 0) throw new Error('npm pack failed: see above')
}
