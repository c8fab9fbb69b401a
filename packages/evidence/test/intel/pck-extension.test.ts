// The SGX extension of a PCK certificate: every value alone, and nothing after any of them.

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

/** The value of the extension, with an element too many behind what stands at `path`. */
function extension(path: Path | null, flags: readonly boolean[] = [true, false, true]): Uint8Array {
  const after = (at: Path): readonly Uint8Array[] => (at === path ? [NULL] : [])
  const entry = (number: string, value: Uint8Array, at?: Path) =>
    der.sequence(der.oid(`${OID}.${number}`), value, ...(at ? after(at) : []))
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
  )
  return path === 'whole' ? new Uint8Array([...whole, ...NULL]) : whole
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
    const { dynamicPlatform, cachedKeys, smtEnabled } = read(extension(null, flags))
    assert.deepEqual([dynamicPlatform, cachedKeys, smtEnabled], flags)
  }
})

test('anything after a value is refused, wherever it stands', () => {
  read(extension(null))
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
      () => read(extension(path)),
      (error: unknown) => error instanceof Refusal && error.code === 'certificate-malformed',
      path,
    )
  }
})
