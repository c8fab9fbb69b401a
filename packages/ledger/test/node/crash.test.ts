// Kills a process that appends, at random points and many times over on one database. Afterwards the log opens, extends
// every checkpoint that was ever shown, and has every entry that was acknowledged, with its effect and with no other.
// CASEMATE_LONG_TESTS=1 kills some hundreds of times.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { openCheckpoint, parseVerifierKey, verifyConsistency } from '../../src/index.ts'
import {
  type Ledger,
  MarkFile,
  openDatabase,
  openLedger,
  SqliteLedger,
  verifyFile,
  verifyMark,
} from '../../src/node/index.ts'
import { fill, KEY, ORIGIN, open, START, temporaryDirectory } from './fixture.ts'

const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
/** On one database; each round checks all that the former ones promised. */
const ROUNDS = IS_LONG ? 12 : 6
const SEVERAL_ROUNDS = IS_LONG ? 40 : 2
const DATABASES = IS_LONG ? 25 : 1
const CUTS = IS_LONG ? 2_000 : 60
/** How long a child may work before it is killed, counted from its first word. */
const MAX_LIFE_MS = 150
const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))

/** All that was promised, over all rounds. */
class Promises {
  readonly acknowledged = new Map<number, string>()
  readonly erased = new Map<number, number>()
  readonly shown = new Set<string>()

  hear(line: string): void {
    const [verb, first = '', second = ''] = line.split(' ')
    if (verb === 'ack') this.acknowledged.set(Number(first), second)
    if (verb === 'erased') this.erased.set(Number(first), Number(second))
    if (verb === 'shown') this.shown.add(Buffer.from(first, 'base64').toString())
  }
}

async function runAndKill(path: string, round: number, writer = 0): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, path, String(round), String(writer)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (chunk: string) => (output += chunk))
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  await Promise.race([sleep(Math.random() * MAX_LIFE_MS), closed])
  child.kill('SIGKILL')
  const [code, signal] = (await closed) as [number | null, string | null]
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' }, 'the child failed by itself')
  // The last line may have been cut: then nothing was said.
  return output.split('\n').slice(0, -1)
}

async function allEntries(ledger: Ledger) {
  const entries = []
  for (let from = 0; from < ledger.size; from += 1000)
    entries.push(...(await ledger.entries({ from, limit: 1000 })))
  return entries
}

async function verifyPromises(path: string, promises: Promises): Promise<number> {
  const db = openDatabase(path)
  try {
    const ledger = await openLedger({
      database: new SqliteLedger(db),
      origin: ORIGIN,
      signingKey: KEY,
      now: () => new Date(),
    })
    const report = await ledger.check()
    const key = await parseVerifierKey(ledger.verifierKey)
    for (const note of promises.shown) {
      const from = await openCheckpoint(note, { key, origin: ORIGIN })
      await verifyConsistency({ from, to: report, proof: await ledger.consistency(from.size, report.size) })
    }
    const entries = await allEntries(ledger)
    for (const [index, number] of promises.acknowledged) {
      const { entry } = entries[index]!
      if (entry !== null) assert.equal(entry['number'], number)
    }
    for (const [index, by] of promises.erased) assert.equal(entries[index]!.erasedBy, by)
    const states = db.prepare('SELECT position, number FROM state').all()
    for (const { position, number } of states) {
      const { entry, erasedBy } = entries[Number(position)]!
      if (erasedBy === null) assert.deepEqual([entry?.['number'], entry?.['stated']], [number, true])
    }
    const positions = new Set(states.map(({ position }) => position))
    for (const { index, entry } of entries) {
      if (entry?.['stated'] === true)
        assert.ok(positions.has(index), `the effect of entry ${index} is missing`)
    }
    return report.size
  } finally {
    db.close()
  }
}

for (let database = 1; database <= DATABASES; database++) {
  test(`a log whose process is killed ${ROUNDS} times keeps every promise (${database})`, async t => {
    const path = join(temporaryDirectory(t), 'store.db')
    const promises = new Promises()
    let size = 0
    for (let round = 0; round < ROUNDS; round++) {
      for (const line of await runAndKill(path, round)) promises.hear(line)
      size = await verifyPromises(path, promises)
    }
    t.diagnostic(
      `${size} entries, ${promises.acknowledged.size} acknowledged, ${promises.shown.size} checkpoints shown`,
    )
    assert.ok(promises.acknowledged.size > 0 && promises.shown.size > 0)
  })
}

/** What is left is of one time, and as far as the mark says. */
async function verifyLeft(path: string): Promise<number> {
  const [db, mark] = [new DatabaseSync(path, { readOnly: true }), new MarkFile(`${path}-mark`)]
  try {
    verifyFile(db)
    return await verifyMark(db, mark)
  } finally {
    mark.close()
    db.close()
  }
}

test('a log that several processes write, all of which are killed, keeps every promise', async t => {
  const path = join(temporaryDirectory(t), 'store.db')
  const promises = new Promises()
  // One begins the log, with its mark.
  for (const line of await runAndKill(path, 0)) promises.hear(line)
  for (let round = 1; round <= SEVERAL_ROUNDS; round++) {
    const heard = await Promise.all([0, 1, 2].map(writer => runAndKill(path, round, writer)))
    for (const line of heard.flat()) promises.hear(line)
    const left = await verifyLeft(path)
    assert.ok(left > Math.max(...promises.acknowledged.keys()))
    assert.equal(await verifyPromises(path, promises), left)
  }
  assert.ok(promises.acknowledged.size > 0 && promises.shown.size > 0)
})

test('a write-ahead log that ends at any byte leaves a log that the whole one extends', async t => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'store.db')
  const { ledger, db } = await open(t, path)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  for (let batch = 1; batch <= 12; batch++) {
    await fill(ledger, batch * 5)
    await ledger.checkpoint()
  }
  const whole = await ledger.checkpoint()
  const wal = readFileSync(`${path}-wal`)
  const cut = join(directory, 'cut.db')
  await fc.assert(
    fc.asyncProperty(fc.nat(wal.length), fc.boolean(), async (length, isZeroed) => {
      copyFileSync(path, cut)
      // What the disk had not written yet is missing, or there as zeros.
      const tail = isZeroed ? Buffer.alloc(wal.length - length) : Buffer.alloc(0)
      writeFileSync(`${cut}-wal`, Buffer.concat([wal.subarray(0, length), tail]))
      const half = openDatabase(cut)
      try {
        const log = await openLedger({
          database: new SqliteLedger(half),
          origin: ORIGIN,
          signingKey: KEY,
          now: () => new Date(START),
        })
        const from = await log.check()
        await verifyConsistency({ from, to: whole, proof: await ledger.consistency(from.size, whole.size) })
        await fill(log, 3)
        await log.check()
      } finally {
        half.close()
      }
    }),
    { numRuns: CUTS },
  )
})
