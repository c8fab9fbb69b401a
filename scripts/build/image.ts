// The container image of the broker: the executable and the shared libraries that it names, from the machine on which it is
// built, under a user of its own. Where no builder of images is there, what it would be built from is left in the folder.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { buildExecutable } from './executable.ts'

const BUILDERS = ['buildah', 'podman', 'docker']
/** Of nobody else: what distroless images use. */
const USER = 'casemate:x:65532:65532:casemate:/data:/nonexistent\n'

/** Makes the folder of which the image is built: `Containerfile`, `root`, `data`. @throws {Error} where the system is not Linux with glibc */
export async function layOutImage(root: string, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const program = join(folder, 'root', 'usr', 'bin', 'casemate')
  await buildExecutable(root, program)
  for (const library of librariesOf(program)) {
    const copy = join(folder, 'root', library)
    mkdirSync(dirname(copy), { recursive: true })
    copyFileSync(library, copy)
  }
  mkdirSync(join(folder, 'data'), { recursive: true })
  mkdirSync(join(folder, 'root', 'etc'), { recursive: true })
  writeFileSync(join(folder, 'root', 'etc', 'passwd'), USER)
  writeFileSync(join(folder, 'root', 'etc', 'group'), 'casemate:x:65532:\n')
  copyFileSync(join(import.meta.dirname, 'Containerfile'), join(folder, 'Containerfile'))
}

/** By absolute paths, as the loader finds them, itself included. */
function librariesOf(program: string): readonly string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...text.matchAll(/(?:^|\s)(\/\S+) \(0x/g)].map(([, path = '']) => path)
}

/** The builder that made it; null where none is there. @throws {Error} where it fails */
function buildImage(folder: string, name: string): string | null {
  for (const builder of BUILDERS) {
    const isThere = spawnSync(builder, ['info'], { stdio: 'ignore' }).status === 0
    if (!isThere) continue
    execFileSync(builder, ['build', '--tag', name, '--file', join(folder, 'Containerfile'), folder], {
      stdio: 'inherit',
    })
    return builder
  }
  return null
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? 'dist/image')
  await layOutImage(resolve(import.meta.dirname, '../..'), folder)
  const builder = buildImage(folder, 'casemate')
  console.log(
    builder === null
      ? `no builder of images is here (${BUILDERS.join(', ')}): ${folder} is what one is built from`
      : `built casemate with ${builder}, from ${folder}`,
  )
}
