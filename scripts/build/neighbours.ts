// What a module finds beside itself, as `new URL('./worker.ts', import.meta.url)`: code for a thread or process of its own,
// and files that it reads. In a bundle all code is in one folder, so that each is given a place there.
import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { Loader, Plugin } from 'esbuild'

export interface Neighbours {
  /** To be bundled as well, by the name that it gets. */
  readonly code: readonly { readonly in: string; readonly out: string }[]
  /** To be copied as it is. */
  readonly data: readonly { readonly from: string; readonly to: string }[]
}

/** As the formatter writes it: nothing is computed. */
const ADDRESS = /new URL\('(\.{1,2}\/[^'\n]+)', import\.meta\.url\)/g
const OURS = 'packages/*/{src,bin}/**/*.{ts,js,mjs}'

/** All that the packages' code names so. @throws {Error} ENOENT where it is not there */
export function neighboursOf(root: string): Neighbours {
  const named = globSync(OURS, { cwd: root }).flatMap(path =>
    addressesIn(readFileSync(join(root, path), 'utf8')).map(address => join(root, dirname(path), address)),
  )
  const paths = [...new Set(named)].toSorted()
  return {
    code: paths.filter(isCode).map(path => ({ in: path, out: placeOf(path, root).replace(/\.js$/, '') })),
    data: paths.filter(path => !isCode(path)).map(path => ({ from: path, to: placeOf(path, root) })),
  }
}

/** Has the addresses lead to the places in the bundle's folder. */
export function withNeighbours(root: string): Plugin {
  return {
    name: 'neighbours',
    setup: build => {
      build.onLoad(
        { filter: /[\\/]packages[\\/][^\\/]+[\\/](?:src|bin)[\\/].*\.(?:ts|js|mjs)$/ },
        ({ path }) => {
          const text = readFileSync(path, 'utf8')
          const contents = text.replaceAll(
            ADDRESS,
            (_, address: string) =>
              `new URL('./${placeOf(join(dirname(path), address), root)}', import.meta.url)`,
          )
          const loader: Loader = path.endsWith('.ts') ? 'ts' : 'js'
          return { contents, loader }
        },
      )
    },
  }
}

function addressesIn(text: string): string[] {
  return [...text.matchAll(ADDRESS)].map(([, address = '']) => address)
}

/** AssemblyScript, in folders of that name, is data to us. */
function isCode(path: string): boolean {
  return /\.(?:ts|js|mjs)$/.test(path) && !path.split(sep).includes('assembly') && statSync(path).isFile()
}

/** `packages/enclave/src/running/worker.ts` → `enclave-worker.js`, `packages/enclave/assembly` → `data/enclave/assembly` */
function placeOf(path: string, root: string): string {
  const [room = '', ...rest] = relative(join(root, 'packages'), path).split(sep)
  if (!isCode(path)) return ['data', room, ...rest].join('/')
  return `${room}-${(rest.at(-1) ?? '').replace(/\.\w+$/, '.js')}`
}
