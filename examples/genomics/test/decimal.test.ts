// Numbers in text: the enclave reads each as the nearest double, bit by bit as JavaScript does.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomNumbers } from '../synthetic.ts'
import { bareEnclaves, bytesOf } from './bare-enclave.ts'

const enclaves = await bareEnclaves(join(import.meta.dirname, 'assembly', 'decimals.ts'))

function parse(texts: readonly string[]): Float64Array {
  const bytes = bytesOf(enclaves().call('parse', new TextEncoder().encode(`${texts.join('\n')}\n`)))
  return new Float64Array(bytes.buffer, bytes.byteOffset, texts.length)
}

function assertSame(texts: readonly string[]): void {
  const numbers = parse(texts)
  const wrong = texts.filter((text, index) => !Object.is(numbers[index], Number(text)))
  assert.deepEqual(wrong.slice(0, 5), [])
}

test('every way to write a number gives the double that JavaScript reads', () => {
  const random = randomNumbers(7)
  const view = new DataView(new ArrayBuffer(8))
  const texts: string[] = []
  while (texts.length < 30_000) {
    view.setUint32(0, random() * 2 ** 32)
    view.setUint32(4, random() * 2 ** 32)
    const number = view.getFloat64(0)
    if (!Number.isFinite(number)) continue
    texts.push(String(number), number.toExponential(20), number.toPrecision(1 + Math.floor(random() * 17)))
  }
  assertSame(texts)
})

test('a number halfway between two doubles, or a hair beside it, is rounded as it must be', () => {
  const random = randomNumbers(8)
  const texts: string[] = []
  for (let count = 0; count < 500; count++) {
    const mantissa = BigInt(Math.floor(random() * 2 ** 52)) + (count % 5 === 0 ? 0n : 2n ** 52n)
    const exponent = count % 5 === 0 ? -1074 : Math.floor(random() * 2040) - 1073
    // Exactly in the middle, all its digits.
    const middle = exactText(2n * mantissa + 1n, exponent - 1)
    texts.push(middle, `${middle}${middle.includes('.') ? '' : '.'}0000000001`, middle.replace(/\d$/, '4'))
  }
  assertSame(texts)
})

test('the ends of what a double holds, and long zeros, are read right', () => {
  const ends =
    '0 -0 0.0 -0e5 .5 5. +1 1e400 -1e400 1e-400 4.9e-324 1e23 8.5e22 2.4703282292062327e-324 \
2.4703282292062328e-324 2.2250738585072011e-308 2.2250738585072014e-308 1.7976931348623157e308 \
1.7976931348623158e308 1.7976931348623159e308 9007199254740993 9007199254740992.99999999 000123.4500e+0003 \
0e999999999999 1e-999999999999 123456789012345678901234567890e-20'
  const zeros = '0'.repeat(5000)
  assertSame([...ends.split(' '), `0.${zeros}1e5000`, `1${zeros}e-5000`, `${'9'.repeat(2000)}e-1990`])
  // A tie but for a digit that is beyond all that are kept.
  assertSame([`9007199254740993.${zeros}1`, `9007199254740993.${zeros}`])
})

test('what is no number is none', () => {
  const texts = [
    '',
    '+',
    '-',
    '.',
    'e5',
    '1e',
    '1e+',
    '1x',
    '0x10',
    'Infinity',
    'NaN',
    ' 1',
    '1 ',
    '1.2.3',
    '--1',
  ]
  assert.deepEqual(
    [...parse(texts)],
    texts.map(() => Number.NaN),
  )
})

/** All digits of integer * 2^exponent. */
function exactText(integer: bigint, exponent: number): string {
  if (exponent >= 0) return (integer << BigInt(exponent)).toString()
  const digits = (integer * 5n ** BigInt(-exponent)).toString().padStart(1 - exponent, '0')
  return `${digits.slice(0, exponent)}.${digits.slice(exponent)}`
}
