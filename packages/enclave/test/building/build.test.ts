// Building images: what is found out from the code, that it is the same every time, and what is refused.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildEnclave } from '../../src/building/build.ts'
import { parseImage } from '../../src/image/image.ts'
import { rejectsCode } from '../expect-code.ts'
import { ALLOC, FREE, FUNCTIONS, IMPORTS } from '../running/modules.ts'
import { encodeModule } from '../running/wasm-encoder.ts'
import { build, bytes, start, utf8, write } from './source.ts'

const HELLO = `
import { text } from 'casemate'
import { shout } from './lib/shout'
export { whisper as hush } from './lib/whisper'
export { shout }
export * from './lib/more'
export const VERSION = 1
function inner(input: Uint8Array): Uint8Array { assert(input.length > 0, 'leave the message out'); return input }
export { inner as outer }
export function hello(input: Uint8Array): Uint8Array { return text.encode('hello ' + text.decode(input)) }
`
const FILES = {
  'hello.ts': HELLO,
  'lib/shout.ts': `export function shout(input: Uint8Array): Uint8Array { return input }`,
  'lib/whisper.ts': `
    export function whisper(input: Uint8Array): Uint8Array { return input }
    export function unused(input: string): string { return input }`,
  'lib/more.ts': `export function more(pointer: usize, length: i32): u64 { return length }`,
}

test('what the manifest says follows from the code and from the settings', async t => {
  const image = await build(t, FILES, { isvProdId: 4, isvSvn: 2, memoryPages: 32, threads: 2 })
  const { manifest, sigstruct, code } = parseImage(image)
  assert.deepEqual(manifest, {
    name: 'hello',
    isvProdId: 4,
    isvSvn: 2,
    debug: false,
    memoryPages: 32,
    threads: 2,
    exports: ['hello', 'hush', 'more', 'outer', 'shout'],
    imports: [],
    configuration: {},
    secrets: [],
  })
  assert.equal(sigstruct, null)
  // Nothing logs, so nothing is there to say; nothing of the SDK is there that is not used, such as SHA-256's constants.
  assert.ok(!Buffer.from(code).includes(Buffer.from('leave the message out', 'utf16le')))
  assert.ok(!Buffer.from(code).includes(Buffer.from(Uint32Array.of(0x428a2f98, 0x71374491).buffer)))
  const enclave = await start(t, image)
  for (const name of ['hush', 'outer', 'shout'])
    assert.equal(utf8(await enclave.call(name, bytes(name))), name)
  assert.equal(utf8(await enclave.call('hello', bytes('you'))), 'hello you')
  await assert.rejects(enclave.call('more', bytes('four')), { code: 'call-failed', got: '4' })
  await rejectsCode('enclave-crashed', enclave.call('outer', bytes('')))
})

test('the same source gives the same bytes, wherever it stands and whatever lies about', async t => {
  const folder = write(t, FILES)
  const first = await buildEnclave({ entry: join(folder, 'hello.ts') })
  const other = join(folder, 'node_modules', 'deeper', 'still')
  mkdirSync(other, { recursive: true })
  for (const name of ['hello.ts', 'lib']) cpSync(join(folder, name), join(other, name), { recursive: true })
  const settings = JSON.stringify({ options: { debug: true, transform: ['./evil.mjs'], optimizeLevel: 0 } })
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(other, 'asconfig.json'), settings)
  writeFileSync(join(other, 'hello.ts'), HELLO.replaceAll('\n', '\r\n'))
  const second = await buildEnclave({ entry: join(other, 'hello.ts') })
  assert.deepEqual(Buffer.from(second), Buffer.from(first))
})

test('settings stand in enclave.json beside the entry, and the caller’s win', async t => {
  const source = `import { secret } from 'casemate'
    export function ask(input: Uint8Array): Uint8Array { return secret('a/b/c') }`
  const settings = {
    name: 'asker',
    isvSvn: 5,
    debug: true,
    configuration: { mode: 'fast' },
    secrets: ['d/e/f', 'a/b/c'],
    runtime: 'minimal',
  }
  const files = { 'hello.ts': source, 'enclave.json': JSON.stringify(settings) }
  const { manifest } = parseImage(await build(t, files, { isvSvn: 6 }))
  const { name, isvSvn, debug, configuration, secrets, imports } = manifest
  assert.deepEqual(
    { name, isvSvn, debug, configuration, secrets, imports },
    {
      name: 'asker',
      isvSvn: 6,
      debug: true,
      configuration: { mode: 'fast' },
      secrets: ['a/b/c', 'd/e/f'],
      imports: ['casemate.secret'],
    },
  )
  for (const wrong of [
    '[]',
    '{',
    '{"exports":["ask"]}',
    '{"naem":"x"}',
    '{"runtime":"stub"}',
    '{"runtime":3}',
  ]) {
    await rejectsCode('settings-invalid', build(t, { ...files, 'enclave.json': wrong }))
  }
  for (const [slip, hint] of [
    ['{"naem":"x"}', 'did you mean name?'],
    ['{"runtime":"minmal"}', 'did you mean minimal?'],
  ] as const) {
    await assert.rejects(build(t, { ...files, 'enclave.json': slip }), { hint })
  }
  await rejectsCode('settings-invalid', build(t, files, { secrets: [] }))
  await rejectsCode('invalid-manifest', build(t, files, { isvSvn: 65_536 }))
})

const MODULE = { imports: [IMPORTS.log], functions: [ALLOC, FREE, FUNCTIONS['echo']!] }
const module = (code: Uint8Array) => ({ 'hello.wasm': code })
const buildModule = (folder: string) => buildEnclave({ entry: join(folder, 'hello.wasm') })

const ECHO = 'export function echo(input: Uint8Array): Uint8Array { return input }\n'

test('secrets that no code asks for are refused', t =>
  rejectsCode('settings-invalid', build(t, { 'hello.ts': ECHO }, { secrets: ['a/b/c'] })))

test('what the compiler does not accept is said with file, line and column', async t => {
  const source = `${ECHO}export function bad(input: Uint8Array): Uint8Array {\n  return 'x'\n}\n`
  await assert.rejects(build(t, { 'hello.ts': source }), {
    code: 'compile-failed',
    message: /^hello\.ts:3:10: Type '~lib\/string\/String' is not assignable to type/,
  })
  const two = { 'hello.ts': `import { f } from './other'\n${ECHO}`, 'other.ts': 'export function f( {' }
  await assert.rejects(build(t, two), (error: Error & { problems: string[] }) => {
    assert.match(error.problems.join('\n'), /^other\.ts:1:\d+: /)
    return true
  })
  await rejectsCode('compile-failed', build(t, { 'hello.ts': `import { g } from './nowhere'\n${ECHO}` }))
})

test('what is TypeScript and not AssemblyScript is refused with what to write instead', async t => {
  const wrap = (body: string): string =>
    `export function f(input: Uint8Array): Uint8Array { ${body} return input }`
  for (const [source, hint] of [
    ['export function f(input: Uint8Array) { return input }', /their types/],
    [wrap('let n = 0; [1].forEach(x => { n += x });'), /loop/],
    [wrap('try { input[0] } catch (e) {}'), /no try/],
    [wrap('const x: string | i32 = 1;'), /one type/],
    [wrap('const x = [1] as const;'), /as const/],
    [wrap(`JSON.parse('{}');`), /library/],
    [wrap(`fetch('http://x');`), /nothing of Node or of a browser/],
    [wrap('const x: any = 1;'), /type of its own/],
    [`import { readFileSync } from 'node:fs'\n${ECHO}`, /nothing of Node/],
    [`import { x } from 'left-pad'\n${ECHO}`, /packages of npm/],
    ['export async function f(input: Uint8Array): Promise<Uint8Array> { return input }', /async/],
  ] as const) {
    await assert.rejects(build(t, { 'hello.ts': source }), { code: 'compile-failed', hint })
  }
  for (const source of [
    'export const f = (input: Uint8Array): Uint8Array => input',
    'export default function f(input: Uint8Array): Uint8Array { return input }',
  ]) {
    await assert.rejects(build(t, { 'hello.ts': source }), {
      code: 'export-unsuitable',
      hint: /default export/,
    })
  }
  // An error within the compiler's own library has its file, and no line of ours.
  await assert.rejects(build(t, { 'hello.ts': wrap('new Array<v128>(1).join();') }), {
    code: 'compile-failed',
    message: /^~lib\/[\w/]+\.ts: /,
  })
})

test('a package of npm that is AssemblyScript is found beside the source, or above', async t => {
  const files = {
    'node_modules/twice/index.ts': 'export function twice(text: string): string { return text + text }',
    'deep/hello.ts': `import { text } from 'casemate'
      import { twice } from 'twice'
      export function f(input: Uint8Array): Uint8Array { return text.encode(twice(text.decode(input))) }`,
  }
  const enclave = await start(t, await buildEnclave({ entry: join(write(t, files), 'deep/hello.ts') }))
  assert.equal(utf8(await enclave.call('f', bytes('ab'))), 'abab')
})

test('a module of another compiler that wants what is not there is told what there is', async t => {
  for (const [name, hint] of [
    ['wasi_snapshot_preview1.fd_write', /no WASI/],
    ['__wbindgen_placeholder__.__wbindgen_describe', /wasm-bindgen/],
    ['env.memcpy', /-mbulk-memory/],
  ] as const) {
    const [module = '', function_ = ''] = name.split('.')
    const code = encodeModule({ ...MODULE, imports: [{ module, name: function_, params: [], results: [] }] })
    await assert.rejects(buildModule(write(t, { 'hello.wasm': code })), { code: 'import-unavailable', hint })
  }
  const code = encodeModule({ ...MODULE, memory: { min: 1, max: null, name: 'memory' } })
  await assert.rejects(buildModule(write(t, { 'hello.wasm': code })), {
    code: 'limit-exceeded',
    hint: /max-memory/,
  })
})

test('an exported function that the platform cannot call is refused, with its line', async t => {
  for (const [text, got] of [
    ['export function f(input: string): string { return input }', '(string): string'],
    [
      'export function f(input: Uint8Array | null): Uint8Array { return input! }',
      '(Uint8Array | null): Uint8Array',
    ],
    ['export function f(a: Uint8Array, b: Uint8Array): Uint8Array { return a }', null],
    ['export function f(a: Uint8Array = new Uint8Array(1)): Uint8Array { return a }', null],
    ['export function f<T>(a: Uint8Array): Uint8Array { return a }', null],
    ['export function f(pointer: usize, length: i32): void {}', '(usize, i32): void'],
    ['export function f(pointer: usize, length: u64): u64 { return 0 }', null],
    ['export function casemate_free(a: Uint8Array): Uint8Array { return a }', null],
    ['export function memory(a: Uint8Array): Uint8Array { return a }', null],
  ] as const) {
    await assert.rejects(build(t, { 'hello.ts': `${ECHO}${text}\n` }), (error: Error & { got: string }) => {
      assert.match(error.message, /^hello\.ts:2: /)
      if (got !== null) assert.equal(error.got, got)
      return true
    })
  }
  await rejectsCode('export-unsuitable', build(t, { 'hello.ts': 'export const x = 1' }))
})

test('what would need a clock, a console or the host’s randomness is refused, with what there is instead', async t => {
  for (const [expression, hint] of [
    ['Math.random().toString()', /random\(\)/],
    ['Date.now().toString()', /no clock/],
    [`(console.log('x'), 'x')`, /log\(\)/],
  ] as const) {
    const source = `import { text } from 'casemate'
      export function f(input: Uint8Array): Uint8Array { return text.encode(${expression}) }`
    const built = build(t, { 'hello.ts': source })
    if (expression.startsWith('(')) await assert.rejects(built)
    else await assert.rejects(built, { code: 'import-unavailable', hint })
  }
})

test('an import of one’s own is refused', t =>
  rejectsCode(
    'import-unavailable',
    build(t, {
      'hello.ts': `// @ts-ignore: decorator
        @external('casemate', 'shell') declare function shell(pointer: usize): void
        export function f(input: Uint8Array): Uint8Array { shell(input.dataStart); return input }`,
    }),
  ))

test('a module of another compiler is taken as it is, with the memory that it says', async t => {
  const code = encodeModule(MODULE)
  const image = parseImage(await buildModule(write(t, module(code))))
  assert.deepEqual(Buffer.from(image.code), Buffer.from(code))
  const { name, exports, imports, memoryPages } = image.manifest
  assert.deepEqual([name, exports, imports, memoryPages], ['hello', ['echo'], ['casemate.log'], 4])
})

test('a module that no platform would run is refused when it is built', async t => {
  const time = { module: 'wasi_snapshot_preview1', name: 'clock_time_get', params: [], results: [] }
  for (const [code, change] of [
    ['invalid-code', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
    ['invalid-code', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)],
    ['import-unavailable', encodeModule({ ...MODULE, imports: [time] })],
    ['export-mismatch', encodeModule({ functions: [FREE, FUNCTIONS['echo']!] })],
    ['limit-exceeded', encodeModule({ ...MODULE, memory: { min: 1, max: null, name: 'memory' } })],
  ] as const) {
    await rejectsCode(code, buildModule(write(t, module(change))))
  }
})

test('what is longer than is read is refused with its size', async t => {
  const folder = write(t, { 'module.wasm': '', 'long.ts': '', 'entry.ts': '', 'enclave.json': '{}' })
  const grown = (name: string, bytes: number): string => {
    truncateSync(join(folder, name), bytes)
    return join(folder, name)
  }
  const MiB = 1024 * 1024
  await assert.rejects(buildEnclave({ entry: grown('module.wasm', 1024 * MiB) }), {
    code: 'invalid-code',
    message: /1073741824 bytes, want at most/,
  })
  const tooLong = { code: 'source-unreadable', message: /\d bytes, want at most/ }
  await assert.rejects(buildEnclave({ entry: grown('long.ts', 16 * MiB + 1) }), tooLong)
  grown('enclave.json', MiB + 1)
  await assert.rejects(buildEnclave({ entry: join(folder, 'entry.ts') }), tooLong)
})

test('what is not there, and what is neither, is refused', async t => {
  const folder = write(t, { 'hello.c': '' })
  await rejectsCode('source-unreadable', buildEnclave({ entry: join(folder, 'hello.c') }))
  await rejectsCode('source-unreadable', buildEnclave({ entry: join(folder, 'nowhere.ts') }))
  await rejectsCode('source-unreadable', buildModule(folder))
})
