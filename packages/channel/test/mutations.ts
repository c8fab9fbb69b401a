// Mutations of bytes that were right: some of them other ones, some left out, some twice.
import * as fc from 'fast-check'

export type Mutation = (bytes: Uint8Array) => Uint8Array

const at = fc.nat(0xffff_ffff)

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(at, fc.nat(255)).map(
      ([index, value]): Mutation =>
        bytes => {
          const copy = Uint8Array.from(bytes)
          if (copy.length > 0) copy[index % copy.length] = value
          return copy
        },
    ),
  },
  fc.tuple(at, fc.nat(20)).map(
    ([index, length]): Mutation =>
      bytes => {
        const from = index % (bytes.length + 1)
        return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)])
      },
  ),
  fc.tuple(at, fc.nat(40)).map(
    ([index, length]): Mutation =>
      bytes => {
        const from = index % (bytes.length + 1)
        return Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)])
      },
  ),
  at.map(
    (index): Mutation =>
      bytes =>
        bytes.subarray(0, index % (bytes.length + 1)),
  ),
)

/** One to four of them, one after the other. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(mutation, { minLength: 1, maxLength: 4 })
  .map(all => bytes => all.reduce((changed, mutate) => mutate(changed), bytes))

/** Longer where the long tests run. */
export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: process.env['CASEMATE_LONG_TESTS'] === '1' ? 20 * count : count }
}
