// The SGX extension of a PCK certificate: each field once and by its number, every value alone, and nothing after any of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as der from '../../src/asn1.ts'
import { readPckExtension } from '../../src/intel/pck.ts'
import { Refusal } from '../../src/refusal.ts'
import type { Certificate } from '../../src/x509.ts'

const OID = '1.2.840.113741.1.13.1'
const NULL = der.nullValue()

type Path =
  | 'ppid'
  | 'tcb'
  | 'svn'
  | 'pceSvn'
  | 'cpuSvn'
  | 'type'
  | 'instance'
  | 'configuration'
  | 'flag'
  | 'whole'

/** Other values of fields, by their numbers. */
type Changes = Readonly<Record<string, Uint8Array>>

/** What is otherwise than in a right one. */
interface Wrong {
  /** Where an element too many stands behind. */
  readonly path?: Path
  readonly flags?: readonly boolean[]
  /** Fields behind the last. */
  readonly more?: readonly Uint8Array[]
  readonly changes?: Changes
}

/** The value of the extension. */
function extension({ path, flags = [true, false, true], more = [], changes = {} }: Wrong = {}): Uint8Array {
  const after = (at: Path): readonly Uint8Array[] => (at === path ? [NULL] : [])
  const entry = (number: string, value: Uint8Array, at?: Path) =>
    field(`${OID}.${number}`, changes[number] ?? value, ...(at ? after(at) : []))
  const tcb = [
    ...Array.from({ length: 16 }, (_, index) => {
      const at = index === 0 ? 'svn' : undefined
      return entry(`2.${index + 1}`, der.unsigned(index), at)
    }),
    entry('2.17', der.unsigned(13), 'pceSvn'),
    entry('2.18', der.octetString(new Uint8Array(16)), 'cpuSvn'),
  ]
  const configuration = flags.map((flag, index) => entry(`7.${index + 1}`, der.boolean(flag), 'flag'))
  const whole = der.sequence(
    entry('1', der.octetString(new Uint8Array(16)), 'ppid'),
    entry('2', der.sequence(...tcb), 'tcb'),
    entry('3', der.octetString(new Uint8Array(2))),
    entry('4', der.octetString(new Uint8Array(6))),
    entry('5', der.enumerated(1), 'type'),
    entry('6', der.octetString(new Uint8Array(16)), 'instance'),
    entry('7', der.sequence(...configuration), 'configuration'),
    ...more,
  )
  return path === 'whole' ? new Uint8Array([...whole, ...NULL]) : whole
}

function field(oid: string, ...values: readonly Uint8Array[]): Uint8Array {
  return der.sequence(der.oid(oid), ...values)
}

function read(value: Uint8Array) {
  return readPckExtension({ extensions: new Map([[OID, value]]) } as unknown as Certificate)
}

test('each flag of the configuration is read from its own place', () => {
  for (const flags of [
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ] as const) {
    const { dynamicPlatform, cachedKeys, smtEnabled } = read(extension({ flags }))
    assert.deepEqual([dynamicPlatform, cachedKeys, smtEnabled], flags)
  }
})

test('anything after a value is refused, wherever it stands', () => {
  read(extension())
  const paths: readonly Path[] = [
    'ppid',
    'tcb',
    'svn',
    'pceSvn',
    'cpuSvn',
    'type',
    'instance',
    'configuration',
    'flag',
    'whole',
  ]
  for (const path of paths) {
    assert.throws(
      () => read(extension({ path })),
      (error: unknown) => error instanceof Refusal && error.code === 'certificate-malformed',
      path,
    )
  }
})

test('a field is taken by its own number alone: one that stands twice, or elsewhere, is refused', () => {
  const withField = (oid: string) =>
    read(extension({ more: [field(oid, der.octetString(new Uint8Array(16)))] }))
  for (const unknown of [`${OID}.8`, `${OID}.127`])
    assert.deepEqual(withField(unknown), withField(`${OID}.9`))
  const twice = ['1', '2', '4', '6', '7'].map(number => `${OID}.${number}`)
  const elsewhere = [
    OID,
    `${OID}.8.1`,
    `${OID}.1.0`,
    `${OID}.128`,
    `${OID}.129`,
    '1.2.840.113741.1.13.2.8',
    '2.5.4.8',
  ]
  for (const oid of [...twice, ...elsewhere]) {
    assert.throws(() => withField(oid), { name: 'Refusal', code: 'certificate-malformed' }, oid)
  }
})

test('a field of another size, type or range is refused', () => {
  const changed = (changes: Changes) => read(extension({ changes }))
  const octets = (size: number) => der.octetString(new Uint8Array(size))
  const wrong: readonly Changes[] = [
    ...['1', '6', '2.18'].flatMap(number => [{ [number]: octets(15) }, { [number]: octets(17) }]),
    ...[1, 3].map(size => ({ '3': octets(size) })),
    ...[5, 7].map(size => ({ '4': octets(size) })),
    ...['2.1', '2.16'].map(number => ({ [number]: der.unsigned(256) })),
    { '2.17': der.unsigned(65_536) },
    { '5': der.element(der.TAG.enumerated, Uint8Array.of()) },
    { '5': der.element(der.TAG.enumerated, Uint8Array.of(0, 1)) },
    { '1': der.bitString(new Uint8Array(16)) },
    { '7.1': der.unsigned(1) },
  ]
  for (const fields of wrong) {
    assert.throws(
      () => changed(fields),
      { name: 'Refusal', code: 'certificate-malformed' },
      Object.keys(fields)[0],
    )
  }
  const most = changed({ '2.1': der.unsigned(255), '2.17': der.unsigned(65_535), '5': der.enumerated(9) })
  assert.deepEqual([most.sgxComponents[0], most.pceSvn, most.sgxType], [255, 65_535, '9'])
})

test('a field that is missing is refused, except those that only the Platform CA writes', () => {
  const list = new der.DerReader(extension(), 'certificate-malformed', 'test').enter(der.TAG.sequence)
  const fields: Uint8Array[] = []
  while (!list.atEnd) fields.push(list.next().raw)
  const without = (number: number) => read(der.sequence(...fields.toSpliced(number - 1, 1)))
  for (const number of [1, 2, 3, 4, 5]) {
    assert.throws(() => without(number), { name: 'Refusal', code: 'certificate-malformed' }, `${number}`)
  }
  assert.equal(without(6).platformInstanceId, null)
  assert.deepEqual(
    [without(7).dynamicPlatform, without(7).cachedKeys, without(7).smtEnabled],
    [null, null, null],
  )
})
