// Lets a test ask how the enclave reads numbers: lines of text in, a double for each out.
import { parseDecimal } from '../../assembly/decimal'
import { find, LINE_FEED } from '../../assembly/text'

export function parse(input: Uint8Array): Uint8Array {
  const start = input.dataStart
  const end = start + input.length
  const numbers = new Array<f64>()
  for (let at = start; at < end; ) {
    const stop = find(at, end, LINE_FEED)
    numbers.push(parseDecimal(at, stop))
    at = stop + 1
  }
  const output = new Uint8Array(numbers.length * 8)
  for (let i = 0; i < numbers.length; i++) store<f64>(output.dataStart + (<usize>i << 3), numbers[i])
  return output
}
