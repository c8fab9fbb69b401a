// The log as others see it: writes what it shows into files and has a Go program check them (test/interop), which uses
// the note and tlog packages of Go's checksum database and nothing of ours. Skipped where there is no Go.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatTilePath, type TileId } from '../../src/index.ts'
import type { Ledger } from '../../src/node/index.ts'
import { fill, open, temporaryDirectory } from './fixture.ts'

const SOURCE = fileURLToPath(new URL('../interop', import.meta.url))
/** Long enough to fetch two small modules; a machine without a network knows at once. */
const FETCH_TIMEOUT_MS = 60_000
/** Crosses a full level of tiles, and ends within a tile on every level. */
const SIZE = 66_100

const go = (cwd: string, args: readonly string[], timeout?: number) =>
  spawnSync('go', args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
    ...(timeout === undefined ? {} : { timeout }),
  })

function reasonToSkip(): string | false {
  if (go(SOURCE, ['version']).status !== 0) return 'Go is not installed'
  return go(SOURCE, ['mod', 'download'], FETCH_TIMEOUT_MS).status === 0
    ? false
    : 'Go modules cannot be fetched'
}

const base64 = (hashes: readonly Uint8Array[]) => hashes.map(hash => Buffer.from(hash).toString('base64'))

async function writeTiles(ledger: Ledger, directory: string): Promise<void> {
  const write = (id: Parameters<typeof formatTilePath>[0], bytes: Uint8Array): void => {
    const path = join(directory, formatTilePath(id))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  for (let [level, total] = [0, ledger.size]; total > 0; total = Math.floor(total / 256)) {
    for (let index = 0; index * 256 < total; index++) {
      const id: TileId = { kind: 'tile', level, index, width: Math.min(256, total - index * 256) }
      write(id, await ledger.tile(level, index, id.width))
      if (level === 0) write({ ...id, kind: 'entries' }, await ledger.entryBundle(index, id.width))
    }
    level++
  }
}

/** Sizes and positions along the edges of tiles and subtrees, and some in between. */
const EDGES = [1, 2, 3, 255, 256, 257, 511, 512, 4095, 40_000, 65_279, 65_535, 65_536, 65_537, 66_000, SIZE]

async function writeProofs(ledger: Ledger, directory: string): Promise<void> {
  const inclusion = []
  const consistency = []
  for (const size of EDGES) {
    for (const other of EDGES.filter(edge => edge <= size)) {
      const index = other - 1
      inclusion.push({ index, size, proof: base64(await ledger.inclusion(index, size)) })
      consistency.push({ from: other, to: size, proof: base64(await ledger.consistency(other, size)) })
    }
  }
  writeFileSync(join(directory, 'proofs.json'), JSON.stringify({ inclusion, consistency }))
  for (const index of [0, 255, 256, 65_535, 65_536, SIZE - 1]) {
    writeFileSync(join(directory, `receipt-${index}.json`), JSON.stringify(await ledger.receipt(index)))
  }
}

/** Hashes are random: a fixed character would be the right one, once in 256 runs. */
const other = (character: string): string => (character === '!' ? '?' : '!')

/** Changes to what was shown, each of which the program must notice: else it would prove nothing. */
const CHANGES: Readonly<Record<string, (text: string) => string>> = {
  'tile/0/000': text => text.replace(/^./s, other),
  'tile/1/000': text => text.replace(/^./s, other),
  'tile/entries/003': text => text.replace(/.$/s, other),
  'proofs.json': text => text.replace(/(?<="proof":\[")./, other),
  'receipt-256.json': text => text.replace('"number":256', '"number":257'),
  checkpoint: text => text.replace(String(SIZE), String(SIZE - 1)),
}

const skip = reasonToSkip()

test('the code of Go’s checksum database accepts all that a log shows', { skip }, async t => {
  const directory = temporaryDirectory(t)
  const program = join(temporaryDirectory(t), 'interop')
  const built = go(SOURCE, ['build', '-o', program, '.'])
  assert.equal(built.status, 0, built.stderr)
  const { ledger } = await open(t)
  await fill(ledger, SIZE)
  writeFileSync(join(directory, 'key'), ledger.verifierKey)
  writeFileSync(join(directory, 'checkpoint'), (await ledger.checkpoint()).note)
  await writeTiles(ledger, directory)
  await writeProofs(ledger, directory)
  const verify = () => spawnSync(program, [directory], { encoding: 'utf8' })
  const accepted = verify()
  assert.equal(accepted.status, 0, accepted.stderr)
  t.diagnostic(accepted.stdout.trim())

  for (const [file, change] of Object.entries(CHANGES)) {
    await t.test(`and refuses a changed ${file}`, () => {
      const path = join(directory, file)
      const good = readFileSync(path)
      const changed = Buffer.from(change(good.toString('latin1')), 'latin1')
      assert.notDeepEqual(changed, good)
      writeFileSync(path, changed)
      assert.equal(verify().status, 1)
      writeFileSync(path, good)
    })
  }
})
