// Compilers that are not ours, with the very commands that ABI.md tells a developer to type.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ENCLAVE_PACKAGE = fileURLToPath(new URL('../../packages/enclave', import.meta.url))
const PAGE = readFileSync(join(ENCLAVE_PACKAGE, 'ABI.md'), 'utf8')
const RUST_TARGET = 'wasm32-unknown-unknown'

export type Language = 'c' | 'rust'

const COMPILERS = { c: 'clang', rust: 'rustc' } as const

/** Of the page, the command and its arguments for one language. */
function command(language: Language): readonly string[] {
  const line = PAGE.split('\n').find(text => text.startsWith(`${COMPILERS[language]} `))
  if (line === undefined) throw new Error(`ABI.md has no command of ${COMPILERS[language]}`)
  return line.split(' ')
}

/** The first that is there and has what WebAssembly needs, of those on the path and of the distribution's own. */
function findCompiler(language: Language): string | null {
  const name = COMPILERS[language]
  const works = language === 'c' ? linksWasm : hasRustTarget
  return [name, `/usr/bin/${name}`].find(works) ?? null
}

function linksWasm(clang: string): boolean {
  const flags = ['--target=wasm32', '-nostdlib', '-Wl,--no-entry', '-x', 'c', '/dev/null', '-o', '/dev/null']
  return spawnSync(clang, flags, { stdio: 'ignore' }).status === 0
}

function hasRustTarget(rustc: string): boolean {
  const { status, stdout } = spawnSync(rustc, ['--print', 'target-libdir', '--target', RUST_TARGET], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 && existsSync(stdout.trim())
}

const FOUND = { c: findCompiler('c'), rust: findCompiler('rust') } as const

/** Why nothing can be compiled, or false. */
export function whyNoCompiler(language: Language): string | false {
  if (FOUND[language] !== null) return false
  return language === 'c' ? 'no clang that links wasm32' : `no rustc with ${RUST_TARGET}`
}

/** Compiles a source in its own folder to `out`, with warnings as errors. */
export function compile(language: Language, source: string, out: string): void {
  const [, ...typed] = command(language)
  const strict = language === 'c' ? ['-Wall', '-Wextra', '-Werror'] : ['-D', 'warnings']
  // The page's own source and result, in place of which come these.
  const given = typed.filter((item, at) => !/^greet\.\w+$/.test(item) && typed[at] !== '-o')
  const flags = given.map((item, at) => (given[at - 1] === '-I' ? join(ENCLAVE_PACKAGE, 'include') : item))
  execFileSync(FOUND[language] ?? '', [...flags, ...strict, '-o', out, source], { cwd: dirname(source) })
}
