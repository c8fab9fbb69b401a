// The header that enclaves in C and Rust include says what the platform does, and a compiler of C reads it so.
// Enclaves written with it are built and run in test/interop.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { IMPORT_SIGNATURES, pack, STATUS } from '../../src/running/abi.ts'

const INCLUDE = fileURLToPath(new URL('../../include', import.meta.url))
const PAGE = readFileSync(new URL('../../ABI.md', import.meta.url), 'utf8')
const HEADER = readFileSync(join(INCLUDE, 'casemate.h'), 'utf8')
const MODULE = readFileSync(join(INCLUDE, 'casemate.rs'), 'utf8')
/** Of sealing, which the header numbers as well. */
const POLICIES = 2
const runs = (...command: string[]): boolean => spawnSync(command[0]!, command.slice(1)).status === 0

const hasCc = runs('cc', '--version')
test('page, header and module name every import that a platform offers', () => {
  for (const name of Object.keys(IMPORT_SIGNATURES)) {
    const short = name.replace('casemate.', '')
    assert.ok(PAGE.includes(`| \`${name}\` |`), `${name} is not in ABI.md`)
    assert.ok(HEADER.includes(`CASEMATE_IMPORT(${short})`), `${name} is not in casemate.h`)
    assert.ok(MODULE.includes(`pub fn ${short}(`), `${name} is not in casemate.rs`)
  }
})

test('page, header and module give every status its number, and know no other', () => {
  const numbers = Object.values(STATUS)
  const rows = [...PAGE.matchAll(/^\| (\d+) \| `?([\w -]+)`? \|$/gm)].map(([, number]) => Number(number))
  assert.deepEqual(rows, numbers)
  for (const [name, number] of Object.entries(STATUS)) {
    const upper = name.toUpperCase().replaceAll('-', '_')
    assert.ok(HEADER.includes(`#define CASEMATE_${upper} ${number}u\n`), `${name} in casemate.h`)
    assert.ok(MODULE.includes(`pub const ${upper}: u32 = ${number};`), `${name} in casemate.rs`)
    if (number > 1) assert.ok(PAGE.includes(`| ${number} | \`${name}\` |`), `${name} in ABI.md`)
  }
  assert.equal(HEADER.match(/^#define CASEMATE_\w+ \d+u$/gm)?.length, numbers.length + POLICIES)
  assert.equal(MODULE.match(/pub const \w+: u32/g)?.length, numbers.length)
})

test('page and example have the same enclave in Rust', () => {
  const example = readFileSync(new URL('../../examples/rust/greet.rs', import.meta.url), 'utf8')
  assert.ok(example.endsWith(/```rust\n(.*?)```/s.exec(PAGE)?.[1] ?? 'nothing'))
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
