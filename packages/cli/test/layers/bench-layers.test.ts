// casemate bench layers: that every layer does the same work, and that the table says so.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { overhead } from '../../src/commands/bench.ts'
import { LAYERS, type OpenLayers, openLayers } from '../../src/layers/layers.ts'
import { makeWorkload, type Workload } from '../../src/layers/workload.ts'
import { casemate } from '../run.ts'

let workload: Workload
let layers: OpenLayers

before(async () => {
  workload = await makeWorkload(new Date('2026-01-01T00:00:00Z'))
  layers = await openLayers(workload)
})

after(() => layers.close())

for (const [name] of LAYERS) {
  for (const size of [1, 55, 56, 63, 64, 1024, 262_144]) {
    test(`${name} gives the SHA-256 of records of ${size} bytes`, async () => {
      const records = Array.from({ length: 3 }, () => new Uint8Array(randomBytes(size)))
      const answers = await layers.run[name]({ records, blobs: records.map(workload.seal) })
      assert.deepEqual(
        answers.map(answer => Buffer.from(answer).toString('hex')),
        records.map(record => createHash('sha256').update(record).digest('hex')),
      )
    })
  }
}

test('the layers that open records refuse one that was changed', async () => {
  const record = new Uint8Array(64)
  const blob = workload.seal(record)
  blob[blob.length - 1]! ^= 1
  for (const name of ['at rest', 'all'] as const) {
    await assert.rejects(
      layers.run[name]({ records: [record], blobs: [blob] }),
      /does not open|status|answered/,
    )
  }
})

test('the command compares every layer with the plain call of the same round', async () => {
  const { code, stdout } = await casemate([
    'bench',
    'layers',
    '--size',
    '1000',
    '--rounds',
    '1',
    '--milliseconds',
    '1',
    '--json',
  ])
  assert.equal(code, 0)
  const [result] = JSON.parse(stdout).results
  assert.equal(result.sizeBytes, 1000)
  assert.ok('platform' in JSON.parse(stdout))
  assert.deepEqual(
    result.layers.map((one: { layer: string }) => one.layer),
    LAYERS.map(([name]) => name),
  )
  assert.equal(result.layers[0].cpuRatio.median, 1)
  for (const { wall } of result.layers) assert.ok(wall.lowest > 0 && wall.lowest <= wall.highest)
})

test('what it costs is said in a column that a screen has room for', () => {
  const spread = (median: number, lowest: number, highest: number): string =>
    overhead({ median, lowest, highest })
  assert.equal(spread(1.034, 1.0123, 1.227), '+3.4 % [+1.2 .. +23]')
  assert.equal(spread(0.98, 0.5, 71.48), '-2.0 % [-50 .. +7048]')
  assert.equal(spread(5.12, 1.4, 140.2), 'x 5.1 [1.4 .. 140]')
})

test('a size that is none is refused with what it may be', async () => {
  for (const size of ['0', '1.5', '2000000', 'many']) {
    const { code, stderr } = await casemate(['bench', 'layers', '--size', size])
    assert.equal(code, 2)
    assert.match(stderr, /flag-value-invalid: --size is .*\nhint: an integer from 1 to 1048576/)
  }
})
