// The command as one file that needs nothing else, by Node's own means: this Node, with the bundle and the compiler of
// enclaves as files that only it sees (single executable applications). Flags of Node come from NODE_OPTIONS alone: Node would
// take them from any argument, also from one that is the name of somebody's file.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OWN_CODE } from '@casemate/enclave/own-code'
import { bundleCommand, ENTRY } from './command.ts'
import { neighboursOf } from './neighbours.ts'

/** What the compiler of enclaves loads. */
const COMPILER = [
  'assemblyscript/{package.json,LICENSE,dist/asc.js,dist/assemblyscript.js}',
  'binaryen/{package.json,LICENSE,index.js}',
  'long/{package.json,LICENSE,index.js}',
]
const MAIN = 'main.mjs'

/** Makes `file`, for the system that this runs on. @throws {Error} where Node does not */
export async function buildExecutable(root: string, file: string): Promise<void> {
  mkdirSync(resolve(file, '..'), { recursive: true })
  const draft = mkdtempSync(join(resolve(file, '..'), 'executable-'))
  try {
    await bundleCommand(root, join(draft, 'lib'))
    writeFileSync(join(draft, MAIN), mainOf(neighboursOf(root).code.map(({ out }) => `${out}.js`)))
    const config = {
      // Relative to the folder: what is written here is kept in the executable, which is the same from each build.
      main: MAIN,
      mainFormat: 'module',
      output: file,
      disableExperimentalSEAWarning: true,
      useVfs: true,
      execArgvExtension: 'env',
      assets: {
        ...filesOf(draft, 'lib/**/*'),
        ...filesOf(root, ...COMPILER.map(glob => `node_modules/${glob}`)),
      },
    }
    writeFileSync(join(draft, 'sea.json'), JSON.stringify(config))
    const { status, stderr } = spawnSync(process.execPath, ['--build-sea', 'sea.json'], {
      cwd: draft,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`node --build-sea: ${stderr}`)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** The command, or what this executable has started itself for: one of these, with flags of V8, and nothing else. */
function mainOf(code: readonly string[]): string {
  return `import { setFlagsFromString } from 'node:v8'
const code = ${JSON.stringify(code)}.find(name => process.argv[2] === ${JSON.stringify(OWN_CODE)} + name)
if (code !== undefined) for (const flag of process.argv.splice(3)) setFlagsFromString(flag)
await import(code === undefined ? './lib/${ENTRY}' : './lib/' + code)
`
}

/** By the names that they get. Maps are left out: they are for whoever has the source. */
function filesOf(folder: string, ...globs: readonly string[]): Record<string, string> {
  const paths = globSync(globs, { cwd: folder }).filter(
    path => !path.endsWith('.map') && statSync(join(folder, path)).isFile(),
  )
  return Object.fromEntries(paths.toSorted().map(path => [path, join(folder, path)]))
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? 'dist/casemate')
  await buildExecutable(resolve(import.meta.dirname, '../..'), file)
  console.log(`built ${file}`)
}
