// Finding the SIGSTRUCT in a signed shared object; one file is put together by hand, one by objcopy.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { toHex } from '@casemate/evidence/bytes'
import { readElfSigstructs } from '../../src/image/elf.ts'
import { recogniseSigstructs } from '../../src/image/sign.ts'
import { verifySigstruct } from '../../src/image/signature.ts'
import { throwsCode } from '../expect-code.ts'
import { PUBLISHED_MR_ENCLAVE, PUBLISHED_SIGSTRUCT } from './published-sigstruct.ts'

const METADATA_SIZE = 4096

function metadata(): Buffer {
  const bytes = Buffer.alloc(METADATA_SIZE)
  bytes.writeBigUInt64LE(0x86a80294635d0e4cn, 0)
  bytes.writeBigUInt64LE((2n << 32n) | 4n, 8)
  bytes.writeUInt32LE(METADATA_SIZE, 16)
  PUBLISHED_SIGSTRUCT.copy(bytes, 64)
  return bytes
}

function note(content: Buffer): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt32LE(13, 0)
  header.writeUInt32LE(content.length, 4)
  header.writeUInt32LE(1, 8)
  return Buffer.concat([header, Buffer.from('sgx_metadata\0'), content])
}

/** ELF header, section, names, table of three sections: none, ours, the names. */
function elf(section: Buffer, name = '.note.sgxmeta'): Buffer {
  const names = Buffer.from(`\0${name}\0.shstrtab\0`)
  const header = Buffer.alloc(64)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  header.writeBigUInt64LE(BigInt(64 + section.length + names.length), 40)
  header.writeUInt16LE(64, 58)
  header.writeUInt16LE(3, 60)
  header.writeUInt16LE(2, 62)
  const entry = (nameAt: number, offset: number, size: number): Buffer => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32LE(nameAt, 0)
    bytes.writeBigUInt64LE(BigInt(offset), 24)
    bytes.writeBigUInt64LE(BigInt(size), 32)
    return bytes
  }
  const table = [
    Buffer.alloc(64),
    entry(1, 64, section.length),
    entry(name.length + 2, 64 + section.length, names.length),
  ]
  return Buffer.concat([header, section, names, ...table])
}

function changed(bytes: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[offset] = value
  return copy
}

test('the SIGSTRUCT of a signed shared object is found and verifies', () => {
  const [sigstruct, ...more] = recogniseSigstructs(elf(note(metadata())))
  assert.deepEqual(more, [])
  assert.equal(toHex(sigstruct.enclaveHash), PUBLISHED_MR_ENCLAVE)
  verifySigstruct(sigstruct)
})

test('each of several metadata structures is read, and padding after them is not', () => {
  assert.equal(readElfSigstructs(elf(note(Buffer.concat([metadata(), metadata()])))).length, 2)
  assert.equal(readElfSigstructs(elf(note(Buffer.concat([metadata(), Buffer.alloc(99)])))).length, 1)
})

test('a file without the section, or that is no ELF file, is refused', () => {
  throwsCode('invalid-metadata', () => readElfSigstructs(elf(note(metadata()), '.note.other')))
  throwsCode('invalid-metadata', () => readElfSigstructs(Buffer.alloc(100)))
})

test('every broken field of note and metadata is refused', () => {
  const good = note(metadata())
  // Sizes of name and content, name, magic, size of the structure, header of the SIGSTRUCT.
  for (const offset of [0, 6, 12, 25, 41, 42, 44, 89]) {
    throwsCode('invalid-metadata', () => readElfSigstructs(elf(changed(good, offset, 0xfe))))
  }
  throwsCode('invalid-metadata', () =>
    readElfSigstructs(elf(note(Buffer.concat([metadata(), Buffer.of(1)])))),
  )
})

test('a metadata structure that says it is smaller than a SIGSTRUCT is refused', () => {
  const small = metadata()
  small.writeUInt32LE(1871, 16)
  throwsCode('invalid-metadata', () => readElfSigstructs(elf(note(small))))
  const smallest = metadata().subarray(0, 1872)
  smallest.writeUInt32LE(1872, 16)
  assert.equal(readElfSigstructs(elf(note(smallest))).length, 1)
})

test('a file with two such sections is refused: which one would be loaded is not said', () => {
  const file = elf(note(metadata()))
  // The first entry of the table, which is none, becomes a copy of the second.
  const table = Number(file.readBigUInt64LE(40))
  file.copy(file, table, table + 64, table + 128)
  throwsCode('invalid-metadata', () => readElfSigstructs(file))
})

test('every broken field of the ELF header that leads to the section is refused', () => {
  const good = elf(note(metadata()))
  for (const offset of [0, 4, 5, 41, 47, 58, 62]) {
    throwsCode('invalid-metadata', () => readElfSigstructs(changed(good, offset, 0xfe)))
  }
})

test('no prefix of the file is read beyond its end', () => {
  const good = elf(note(metadata()))
  for (let size = 0; size < good.length; size += 7) {
    throwsCode('invalid-metadata', () => readElfSigstructs(good.subarray(0, size)))
  }
})

const hasTools =
  spawnSync('objcopy', ['--version']).status === 0 && spawnSync('cc', ['--version']).status === 0

test('a shared object of the system’s compiler and objcopy is read', {
  skip: !hasTools && 'needs cc and objcopy',
}, t => {
  const folder = mkdtempSync(join(tmpdir(), 'enclave-elf-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = (name: string): string => join(folder, name)
  writeFileSync(at('a.c'), 'int answer(void) { return 42; }\n')
  writeFileSync(at('note'), note(metadata()))
  execFileSync('cc', ['-shared', '-fPIC', '-nostdlib', '-o', at('a.so'), at('a.c')], { stdio: 'pipe' })
  execFileSync('objcopy', ['--add-section', `.note.sgxmeta=${at('note')}`, at('a.so'), at('a.signed.so')])
  const [sigstruct] = recogniseSigstructs(readFileSync(at('a.signed.so')))
  verifySigstruct(sigstruct)
})
