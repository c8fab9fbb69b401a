// A first start that is cut off anywhere, by a kill or by a setting that is refused, is no loss: the next one begins.
// CASEMATE_LONG_TESTS=1 kills some sixty processes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { openTestBroker, temporaryDirectory } from '../broker.ts'

const KILLS = process.env['CASEMATE_LONG_TESTS'] === '1' ? 60 : 2

const MARKS_OF_PROGRESS = ['kek.json', 'casemate.db', 'casemate.db-wal', 'ledger-mark']

function directory(t: TestContext): string {
  const dataDir = temporaryDirectory()
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

async function demandStart(dataDir: string): Promise<void> {
  const broker = await openTestBroker({ dataDir })
  assert.equal((await broker.entries('ledger.restored')).length, 0)
  await broker.close('keep-data')
  await openTestBroker({ dataDir }).then(again => again.close('keep-data'))
}

test('a first start that a setting ended after the keys were made is followed by another', async t => {
  const dataDir = directory(t)
  await assert.rejects(openTestBroker({ dataDir, flags: { 'ledger-origin': 'a b' } }), {
    code: 'config-invalid',
  })
  assert.ok(existsSync(join(dataDir, 'kek.json')))
  await demandStart(dataDir)
})

test('a first start that was killed before there was a database is followed by another', async t => {
  const dataDir = directory(t)
  await assert.rejects(openTestBroker({ dataDir, flags: { 'ledger-origin': 'a b' } }))
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith('casemate.db') || name === 'kek.json') rmSync(join(dataDir, name))
  }
  assert.deepEqual(readdirSync(dataDir).sort(), ['ledger-mark', 'lock'])
  writeFileSync(join(dataDir, 'casemate.db'), '', { mode: 0o600 })
  await demandStart(dataDir)
})

test('what a killed process had not committed is undone, and the rest is started with', async t => {
  const [dataDir, other] = [directory(t), directory(t)]
  const database = join(other, 'casemate.db')
  const db = new DatabaseSync(database)
  // So small a memory that a transaction is partly in the file before it is committed.
  db.exec('PRAGMA cache_size = 1; BEGIN; CREATE TABLE large (content BLOB)')
  for (let at = 0; at < 50; at++) db.exec('INSERT INTO large VALUES (zeroblob(9000))')
  for (const name of ['casemate.db', 'casemate.db-journal'])
    copyFileSync(join(other, name), join(dataDir, name))
  db.close()
  assert.throws(() => {
    const reading = new DatabaseSync(join(dataDir, 'casemate.db'), { readOnly: true })
    t.after(() => reading.close())
    reading.prepare('SELECT * FROM large').all()
  })
  await demandStart(dataDir)
})

test('a first start that is killed at any time is followed by another', async t => {
  const parent = directory(t)
  for (let kill = 0; kill < KILLS; kill++) {
    const dataDir = join(parent, String(kill))
    mkdirSync(dataDir, { mode: 0o700 })
    const program = new URL('../lifecycle/broker-process.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, dataDir], { stdio: 'ignore' })
    const ended = new Promise(resolve => child.once('exit', resolve))
    const awaited = join(dataDir, MARKS_OF_PROGRESS[kill % MARKS_OF_PROGRESS.length]!)
    while (!existsSync(awaited) && child.exitCode === null) await setTimeout(1)
    await setTimeout(Math.floor(kill / MARKS_OF_PROGRESS.length) * 2)
    child.kill('SIGKILL')
    await ended
    await t.test(`${kill}: ${readdirSync(dataDir).join(' ')}`, () => demandStart(dataDir))
  }
})
