// The C header: that a compiler takes it, that its arithmetic is that of the platform, and, where clang can compile to
// WebAssembly, that an enclave written with it runs.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { encodeImage } from '../../src/image/image.ts'
import { signImage } from '../../src/image/sign.ts'
import { IMPORT_SIGNATURES, pack } from '../../src/running/abi.ts'
import { Enclave } from '../../src/running/enclave.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { MANIFEST } from '../image/samples.ts'

const INCLUDE = fileURLToPath(new URL('../../include', import.meta.url))
const PAGE = readFileSync(new URL('../../ABI.md', import.meta.url), 'utf8')
const HEADER = readFileSync(join(INCLUDE, 'casemate.h'), 'utf8')
const runs = (...command: string[]): boolean => spawnSync(command[0]!, command.slice(1)).status === 0

const hasCc = runs('cc', '--version')
const hasWasm = runs(
  'clang',
  '--target=wasm32',
  '-nostdlib',
  '-Wl,--no-entry',
  '-x',
  'c',
  '/dev/null',
  '-o',
  '/dev/null',
)

test('page and header name every import that a platform offers', () => {
  for (const name of Object.keys(IMPORT_SIGNATURES)) {
    assert.ok(PAGE.includes(`| \`${name}\` |`), `${name} is not in ABI.md`)
    assert.ok(
      HEADER.includes(`CASEMATE_IMPORT(${name.replace('casemate.', '')})`),
      `${name} is not in casemate.h`,
    )
  }
})

test('the header packs results as the platform reads them', { skip: !hasCc && 'needs cc' }, t => {
  const folder = mkdtempSync(join(tmpdir(), 'enclave-abi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const source = join(folder, 'main.c')
  writeFileSync(
    source,
    `#include <stdio.h>
     #include "casemate.h"
     int main(void) {
       uint64_t r = casemate_bytes((void *)(uintptr_t)0xfffffff0u, 0x81234567u);
       printf("%llu %llu %llu %d %d %d", (unsigned long long)r, (unsigned long long)casemate_bytes((void *)8, 0),
         (unsigned long long)casemate_status(5), casemate_is_status(r), casemate_is_status(5), casemate_is_status(0));
     }`,
  )
  const program = join(folder, 'main')
  execFileSync('cc', ['-std=c11', '-Wall', '-Werror', '-I', INCLUDE, '-o', program, source])
  const packed = BigInt.asUintN(64, pack({ pointer: 0xfffffff0, length: 0x81234567 }))
  assert.equal(execFileSync(program).toString(), `${packed} 0 5 0 1 0`)
})

test('the enclave of ABI.md runs', { skip: !hasWasm && 'needs clang that compiles to wasm32' }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'enclave-abi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const source = join(folder, 'enclave.c')
  writeFileSync(source, `#define CASEMATE_ALLOCATOR\n${/```c\n(.*?)```/s.exec(PAGE)![1]}`)
  const wasm = join(folder, 'enclave.wasm')
  const flags = [
    '--target=wasm32',
    '-O2',
    '-nostdlib',
    '-Wl,--no-entry',
    '-Wl,--max-memory=1048576',
    '-I',
    INCLUDE,
  ]
  execFileSync('clang', [...flags, '-o', wasm, source])
  const manifest = { ...MANIFEST, exports: ['shout'], memoryPages: 16 }
  const image = signImage(encodeImage(manifest, readFileSync(wasm)), {
    ...DATE,
    privateKey: SIGNING.privateKey,
  })
  const enclave = await Enclave.create(image, {
    platform: { sealing: null, secrets: new Map(), log: () => undefined, report: () => undefined },
    debug: false,
    signers: 'any',
    measurement: 'any',
  })
  t.after(() => enclave.close())
  assert.equal(Buffer.from(await enclave.call('shout', Buffer.from('hello'))).toString(), 'HELLO')
})
