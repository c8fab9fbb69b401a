// Run by crash.test.ts, and killed by it: appends at random and says on stdout what it was promised, at once.
import { writeSync } from 'node:fs'
import { LedgerError } from '../../src/index.ts'
import {
  ChangeRefused,
  ENTRY_INDEX,
  MarkFile,
  openDatabase,
  openLedger,
  SqliteLedger,
} from '../../src/node/index.ts'
import { KEY, ORIGIN } from './fixture.ts'

const [path = '', round = '', writer = '0'] = process.argv.slice(2)
const db = openDatabase(path)
db.exec('CREATE TABLE IF NOT EXISTS state (position INTEGER PRIMARY KEY, number TEXT UNIQUE)')
const ledger = await openLedger({
  database: new SqliteLedger(db),
  origin: ORIGIN,
  signingKey: KEY,
  now: () => new Date(),
  mark: new MarkFile(`${path}-mark`, Number(writer)),
})

// Synchronous: what was said before the kill reaches the parent.
const say = (...words: (string | number)[]): void => void writeSync(1, `${words.join(' ')}\n`)
const chance = (share: number): boolean => Math.random() < share
say('open', ledger.size)

async function append(number: string): Promise<void> {
  const kind = Math.floor(Math.random() * 3)
  const entry = { number, stated: kind > 0, padding: 'x'.repeat(Math.random() * 200) }
  if (kind === 0) {
    const { index } = await ledger.append(entry)
    return say('ack', index, number)
  }
  try {
    const { index } = await ledger.append(entry, [
      { sql: 'INSERT INTO state VALUES (?, ?)', values: [ENTRY_INDEX, number], expected: 1 },
      { sql: 'SELECT 1 WHERE ?', values: [chance(0.2) ? 0 : 1], expected: 1 },
    ])
    say('ack', index, number)
  } catch (error) {
    if (!(error instanceof ChangeRefused)) throw error
  }
}

async function erase(): Promise<void> {
  // The first change may have been refused.
  if (ledger.size === 0) return
  const index = Math.floor(Math.random() * ledger.size)
  if ((await ledger.entry(index)).erasedBy !== null) return
  try {
    const erased = await ledger.erase(index, { number: 'erasure', stated: false })
    say('erased', index, erased.index)
  } catch (error) {
    // Another process was quicker.
    if (!(error instanceof LedgerError) || error.code !== 'entry-erased') throw error
  }
}

async function show(): Promise<void> {
  say('shown', Buffer.from((await ledger.checkpoint()).note).toString('base64'))
}

for (let burst = 0; ; burst++) {
  const size = chance(0.1) ? 500 : Math.ceil(Math.random() * 8)
  const work = Array.from({ length: size }, (_, at) => append(`${round}-${writer}-${burst}-${at}`))
  if (chance(0.3)) work.push(show())
  await Promise.all(work)
  if (burst === 0 || chance(0.3)) await show()
  if (chance(0.1)) await erase()
}
