// The command in one folder that needs no other: everything that it imports, ours and others', in a few files of plain
// JavaScript with source maps, what it reads beside its code, and the licences of what is in it. Only the compiler of
// AssemblyScript stays outside. Names are not shortened, so that what is installed can be read.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { neighboursOf, withNeighbours } from './neighbours.ts'
import { noticesOf } from './notices.ts'

/** Loaded where an enclave is built, if it is installed. */
export const OUTSIDE = ['assemblyscript', 'assemblyscript/*']

/** Some packages are CommonJS and ask for what Node has; a module has no `require` of its own. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/** Processes of a broker, which an executable does not have: they share the command's files, as almost all of them is in there. */
const SHARING: readonly string[] = ['broker-desk-process']

/** The file that starts it, in the folder. */
export const ENTRY = 'casemate.js'

/** Makes the folder anew. @throws {Error} what esbuild says */
export async function bundleCommand(root: string, folder: string): Promise<void> {
  const { code, data } = neighboursOf(root)
  const { sharing, alone } = byFiles(code)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const common: BuildOptions & { metafile: true; write: false } = {
    absWorkingDir: root,
    // Names of files depend on it: wherever the folder is, they are the same.
    outdir: join(root, 'dist', 'command'),
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: OUTSIDE,
    sourcemap: 'linked',
    legalComments: 'none',
    metafile: true,
    plugins: [withNeighbours(root)],
    logLevel: 'error',
  }
  const { metafile, outputFiles } = await build({
    ...common,
    entryPoints: [{ in: 'packages/cli/bin/casemate.js', out: ENTRY.replace('.js', '') }, ...sharing],
    splitting: true,
    banner: { js: REQUIRE },
    chunkNames: 'chunk-[hash]',
  })
  // Each in one file: a thread of an executable sees no other.
  const apart = await build({ ...common, entryPoints: alone })
  for (const { path, contents } of [...outputFiles, ...apart.outputFiles]) {
    writeFileSync(join(folder, basename(path)), contents)
  }
  refuseDynamicCommonJs(metafile)
  for (const { from, to } of data) cpSync(from, join(folder, to), { recursive: true })
  writeFileSync(join(folder, 'LICENSES.txt'), noticesOf(packagesIn(metafile), root))
}

/** @throws {Error} where one has another name by now: built alone, it would have all of the command in it once more */
export function byFiles<T extends { readonly out: string }>(code: readonly T[]) {
  const sharing = code.filter(({ out }) => SHARING.includes(out))
  if (sharing.length < SHARING.length) throw new Error(`not all of ${SHARING.join(', ')} are there`)
  return { sharing, alone: code.filter(({ out }) => !SHARING.includes(out)) }
}

/**
 * What such an import gives has no names in a bundle, and has them in Node.
 * @throws {Error} with the modules to be imported by one of ours, by name
 */
export function refuseDynamicCommonJs({ inputs }: Pick<Metafile, 'inputs'>): void {
  const found = Object.entries(inputs).flatMap(([path, { imports }]) =>
    imports
      .filter(one => one.kind === 'dynamic-import' && inputs[one.path]?.format === 'cjs')
      .map(one => `${path} imports ${one.path}`),
  )
  if (found.length > 0) throw new Error(`CommonJS is imported dynamically:\n${found.join('\n')}`)
}

/** Folders of the packages from elsewhere of which something is inside. */
function packagesIn({ inputs }: Metafile): readonly string[] {
  const folders = Object.keys(inputs).flatMap(
    path => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  )
  return [...new Set(folders)].toSorted()
}
