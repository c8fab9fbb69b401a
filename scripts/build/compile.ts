// TypeScript → JavaScript, types and maps, for all packages in one run of the compiler; then what it leaves as it was is
// set right: it rewrites extensions in imports alone, not in declarations and not in URLs of files beside the module.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** Where the packages' compiled files are: `TO/evidence/src/index.js`. @throws {Error} where a package does not compile */
export function compileRooms(root: string, to: string): void {
  const config = join(to, 'tsconfig.json')
  const settings = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: join(root, 'packages'),
      outDir: to,
      typeRoots: [join(root, 'node_modules', '@types')],
    },
    include: [join(root, 'packages', '*', 'src')],
  }
  writeFileSync(config, JSON.stringify(settings))
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', config], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the packages do not compile: see above')
}

/** Sets right what stands in `lib`, whose sources are in `src` beside it. */
export function settle(lib: string): void {
  for (const path of globSync('**/*.{js,d.ts,map}', { cwd: lib })) {
    const file = join(lib, path)
    const text = readFileSync(file, 'utf8')
    const settled = path.endsWith('.map') ? settleMap(text, file, lib) : settleModule(text)
    if (settled !== text) writeFileSync(file, settled)
  }
}

/** In as many characters as before, so that maps stay true. */
export function settleModule(text: string): string {
  return text
    .replaceAll(/(\bfrom |\bimport\()(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/g, '$1$2$3.js$2')
    .replaceAll(/(\bnew URL\()(['"])(\.\/[^'"\n]+)\.ts\2, import\.meta\.url/g, '$1$2$3.js$2, import.meta.url')
}

function settleMap(text: string, file: string, lib: string): string {
  const source = join(lib, '..', 'src', relative(lib, file).replace(/(\.d)?\.(js|ts)\.map$/, '.ts'))
  const sources = [relative(dirname(file), source).replaceAll(sep, '/')]
  return JSON.stringify({ ...JSON.parse(text), sources })
}
