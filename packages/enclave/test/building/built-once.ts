// Enclaves that tests run and do not build for the building's sake: compiled once for all of them, since a compiler of
// ten megabytes takes seconds to load and run. What is kept belongs to this compiler, this SDK and these sources alone.
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import { madeOnce } from '../../../../test/made-once.ts'
import { type BuildOptions, buildEnclave } from '../../src/building/build.ts'
import { encodeImage, parseImage } from '../../src/image/image.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')

/** Every source that an enclave of this repository is built from, and what builds it. */
const INGREDIENTS = [
  '{packages,examples}/*/{assembly,test/assembly}/**/*.{ts,json}',
  'packages/enclave/src/**/*.ts',
  'node_modules/{assemblyscript,binaryen}/package.json',
]

/** As `buildEnclave`, of an entry in a folder `assembly`: another configuration is another manifest around the same code. */
export async function builtOnce({ configuration, ...options }: BuildOptions): Promise<Uint8Array> {
  if (basename(dirname(options.entry)) !== 'assembly') {
    throw new TypeError(`${options.entry} is in no folder that is looked at for changes`)
  }
  const named = { ...options, entry: relative(ROOT, options.entry) }
  const image = await madeOnce({
    ingredients: [JSON.stringify(named), ...sources()],
    make: () => buildEnclave(options),
  })
  if (configuration === undefined) return image
  const { manifest, code } = parseImage(image)
  return encodeImage({ ...manifest, configuration }, code)
}

function sources(): (string | Uint8Array)[] {
  const files = globSync(INGREDIENTS, { cwd: ROOT }).toSorted()
  return files.flatMap(file => [file, readFileSync(resolve(ROOT, file))])
}
