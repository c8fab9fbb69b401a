// How far a long piece of work is, as it is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Meter, startMeter } from '../../src/sealing/meter.ts'

function meter(
  isScreen: boolean,
  total: number | null,
): { at: (ms: number) => Meter; told: (string | null)[] } {
  const told: (string | null)[] = []
  let now = 0
  const note = (line: string): void => void told.push(line)
  const status = isScreen ? (line: string | null): void => void told.push(line) : null
  const started = startMeter({ note, status }, { verb: 'sealed', total, clock: () => now })
  return { told, at: ms => ((now = ms), started) }
}

test('a person sees one line that goes on, and is gone at the end', () => {
  const { at, told } = meter(true, 400e6)
  at(100).add(10e6)
  at(1000).add(90e6)
  at(1100).add(1e6)
  at(2000).name('genome.vcf')
  at(2000).add(99e6)
  at(2001).end()
  assert.deepEqual(told, [
    'sealed 100 MB of 400 MB, 100 MB/s',
    'sealed 200 MB of 400 MB, 100 MB/s genome.vcf',
    null,
  ])
})

test('a log gets a line now and then, and none for short work', () => {
  const { at, told } = meter(false, null)
  at(9_000).add(9e6)
  assert.deepEqual(told, [])
  at(10_000).add(1e6)
  at(11_000).add(1e6)
  at(12_000).end()
  assert.deepEqual(told, ['sealed 10 MB, 1.0 MB/s'])
})
