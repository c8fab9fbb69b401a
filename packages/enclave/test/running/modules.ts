// Enclaves of tests, assembled by hand: each function does one thing well or one thing badly.

import { encodeImage } from '../../src/image/image.ts'
import type { Manifest } from '../../src/image/manifest.ts'
import { sortedNames } from '../../src/image/manifest.ts'
import { signImage } from '../../src/image/sign.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { encodeModule, I32, I64, type TestFunction, type TestModule } from './wasm-encoder.ts'

const CALL = { params: [I32, I32], results: [I64] } as const
const local = (index: number): number[] => [0x20, index]
const GLOBAL_GET = [0x23, 0]
const GLOBAL_SET = [0x24, 0]
/** (pointer, length) of the arguments as one i64. */
const PACK_ARGUMENTS = [...local(0), 0xad, 0x42, 32, 0x86, ...local(1), 0xad, 0x84]

/** A bump allocator that grows the memory and answers 0 if that is not possible. */
export const ALLOC: TestFunction = {
  name: 'casemate_alloc',
  params: [I32],
  results: [I32],
  locals: 1,
  body: [
    ...GLOBAL_GET,
    0x21,
    1, // pointer = heap
    ...local(1),
    ...local(0),
    0x6a, // pointer + length
    0x3f,
    0,
    0x41,
    16,
    0x74,
    0x4b, // > size in bytes, unsigned
    0x04,
    0x40, // if
    ...local(0),
    0x41,
    16,
    0x76,
    0x41,
    1,
    0x6a,
    0x40,
    0, // grow by length / 64 KiB + 1
    0x41,
    0x7f,
    0x46, // == -1
    0x04,
    0x40,
    0x41,
    0,
    0x0f,
    0x0b, // return 0
    0x0b,
    ...local(1),
    ...local(0),
    0x6a,
    ...GLOBAL_SET,
    ...local(1),
  ],
}

/** Takes the heap back to what is freed. */
export const FREE: TestFunction = {
  name: 'casemate_free',
  params: [I32, I32],
  results: [],
  body: [...local(0), ...GLOBAL_GET, 0x49, 0x04, 0x40, ...local(0), ...GLOBAL_SET, 0x0b],
}

export const FUNCTIONS: Readonly<Record<string, TestFunction>> = {
  echo: { name: 'echo', ...CALL, body: PACK_ARGUMENTS },
  /** The same in memory of its own. */
  copy: {
    name: 'copy',
    ...CALL,
    locals: 1,
    body: [
      ...local(1),
      0x10,
      0,
      0x22,
      2, // result = alloc(length)
      ...local(0),
      ...local(1),
      0xfc,
      0x0a,
      0,
      0, // memory.copy
      ...local(2),
      0xad,
      0x42,
      32,
      0x86,
      ...local(1),
      0xad,
      0x84,
    ],
  },
  nothing: { name: 'nothing', ...CALL, body: [0x42, 0] },
  /** Counts calls of this instance in the first byte of the input. */
  count: {
    name: 'count',
    ...CALL,
    body: [
      0x41,
      0,
      0x41,
      0,
      0x2d,
      0,
      0,
      0x41,
      1,
      0x6a,
      0x3a,
      0,
      0, // byte 0 of the memory += 1
      ...local(0),
      0x41,
      0,
      0x2d,
      0,
      0,
      0x3a,
      0,
      0,
      ...PACK_ARGUMENTS,
    ],
  },
  trap: { name: 'trap', ...CALL, body: [0x00] },
  spin: { name: 'spin', ...CALL, body: [0x03, 0x40, 0x0c, 0, 0x0b, 0x42, 0] },
  /** Calls itself for ever: its index follows alloc, free. */
  deep: { name: 'deep', ...CALL, body: [...local(0), ...local(1), 0x10, 2] },
  status: { name: 'status', ...CALL, body: [0x42, 5] },
  /** 16 bytes that end beyond every memory. */
  wild: { name: 'wild', ...CALL, body: [0x41, 0x78, 0xad, 0x42, 32, 0x86, 0x42, 16, 0x84] },
}

export const IMPORTS = {
  log: { module: 'casemate', name: 'log', params: [I32, I32], results: [] },
  random: { module: 'casemate', name: 'random', params: [I32, I32], results: [] },
  seal: { module: 'casemate', name: 'seal', params: [I32, I32, I32, I32, I32], results: [I64] },
  unseal: { module: 'casemate', name: 'unseal', params: [I32, I32], results: [I64] },
  config: { module: 'casemate', name: 'config', params: [I32, I32], results: [I64] },
  secret: { module: 'casemate', name: 'secret', params: [I32, I32], results: [I64] },
} as const

export interface TestEnclave {
  readonly module?: Partial<TestModule>
  readonly manifest?: Partial<Manifest>
  readonly functions?: readonly TestFunction[]
}

export function makeUnsigned({
  module = {},
  manifest = {},
  functions = [FUNCTIONS['echo']!],
}: TestEnclave): Uint8Array {
  const imports = module.imports ?? []
  const code = encodeModule({ functions: [ALLOC, FREE, ...functions], ...module })
  const whole: Manifest = {
    name: 'test',
    isvProdId: 1,
    isvSvn: 1,
    debug: false,
    memoryPages: 4,
    threads: 1,
    exports: sortedNames(functions.map(item => item.name)),
    imports: sortedNames(imports.map(item => `${item.module}.${item.name}`)),
    configuration: {},
    secrets: [],
    ...manifest,
  }
  return encodeImage(whole, code)
}

export function makeImage(enclave: TestEnclave = {}): Uint8Array {
  return signImage(makeUnsigned(enclave), { ...DATE, privateKey: SIGNING.privateKey })
}
