// What is lost of the data is missed at start, named, and left as it is; to begin without it is asked for by name.
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { MarkFile } from '@casemate/ledger/node'
import { openTestBroker, type TestBroker, temporaryDirectory } from '../broker.ts'

const DATABASE = 'casemate.db'
const FILES = [DATABASE, `${DATABASE}-wal`, 'kek.json', 'ledger-mark']

/** Puts so many secrets, each of which is an entry. */
async function put(broker: TestBroker, count: number, first = 0): Promise<void> {
  for (let at = first; at < first + count; at++) {
    const { status } = await broker.send('PUT', `/v1/secrets/default/key/s${at}`, {
      payload: `content ${at}`,
    })
    assert.equal(status, 201)
  }
}

function removedAfter(t: TestContext): string {
  const dataDir = temporaryDirectory()
  t.after(() => rmSync(dataDir, { recursive: true }))
  return dataDir
}

/** The files as a process leaves them that is killed now. */
function snapshot(from: string, to: string): void {
  for (const name of FILES) {
    rmSync(join(to, name), { force: true })
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
  }
}

/** A data directory as it was with three secrets, and as it is with five: both of a killed process. */
async function killed(t: TestContext) {
  const [running, older, newer] = [removedAfter(t), removedAfter(t), removedAfter(t)]
  const broker = await openTestBroker({ dataDir: running })
  await put(broker, 3)
  snapshot(running, older)
  await put(broker, 2, 3)
  snapshot(running, newer)
  const { size } = broker.context.ledger
  await broker.close('keep-data')
  return { older, newer, size, admin: broker.admin }
}

/** That it is refused by that code, and nothing is changed by it. */
async function refuses(
  dataDir: string,
  code: string,
  opening: object = {},
): Promise<Error & { hint?: string }> {
  const content = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(dataDir)
        .filter(name => FILES.includes(name) && readFileSync(join(dataDir, name)).length > 0)
        .map(name => [name, readFileSync(join(dataDir, name)).toString('base64')]),
    )
  const before = content()
  let refusal: (Error & { hint?: string; code?: string }) | undefined
  await openTestBroker({ dataDir, ...opening }).then(
    broker => broker.close('keep-data'),
    (error: unknown) => (refusal = error as Error),
  )
  assert.equal(refusal?.code, code, `${code}, not ${String(refusal)}`)
  assert.deepEqual(content(), before)
  return refusal
}

test('a killed broker has all that it acknowledged', async t => {
  const { newer, size, admin } = await killed(t)
  const broker = await openTestBroker({ dataDir: newer, admin })
  assert.equal(broker.context.ledger.size, size + 1)
  await broker.close('keep-data')
})

test('a data directory without its database is refused, and given a new one by name only', async t => {
  const dataDir = removedAfter(t)
  const broker = await openTestBroker({ dataDir })
  await broker.close('keep-data')
  const database = join(dataDir, DATABASE)
  for (const vanish of [() => rmSync(database), () => writeFileSync(database, '', { mode: 0o600 })]) {
    vanish()
    const { message, hint } = await refuses(dataDir, 'database-missing')
    assert.match(`${message} ${hint}`, /kek\.json and the mark.*ledger-mark.*--begin-anew/)
  }
  rmSync(database)
  // Each of the two files says that there was one.
  const [kek, mark] = [join(dataDir, 'kek.json'), join(dataDir, 'ledger-mark')]
  const kept = readFileSync(kek)
  rmSync(kek)
  await refuses(dataDir, 'database-missing')
  assert.equal(existsSync(database), false)
  writeFileSync(kek, kept, { mode: 0o600 })
  const before = broker.context.ledger
  const anew = await openTestBroker({ dataDir, beginning: 'anew' })
  // The first of all: a start that is cut off after any entry has this one.
  const [entry] = await anew.entries()
  assert.equal(entry?.['type'], 'ledger.begun-anew')
  assert.deepEqual(
    [entry?.['mark']].map(found => [(found as { log: string }).log, (found as { size: number }).size]),
    [[before.verifierKey, before.size]],
  )
  await anew.close('keep-data')
  rmSync(database)
  rmSync(mark)
  await refuses(dataDir, 'database-missing')
  rmSync(kek)
  await openTestBroker({ dataDir }).then(first => first.close('keep-data'))
})

test('to begin anew takes no database away, nor what is left of one', async t => {
  const { newer } = await killed(t)
  const { message } = await refuses(newer, 'config-conflict', { beginning: 'anew' })
  assert.match(message, /is there: --begin-anew is for where it is not/)
  rmSync(join(newer, DATABASE))
  const { hint } = await refuses(newer, 'database-missing', { beginning: 'anew' })
  assert.match(hint ?? '', /move it away, and keep it/)
})

test('a write-ahead log that is missing or cut is missed, although no checkpoint was shown', async t => {
  const { newer, size } = await killed(t)
  const path = join(newer, `${DATABASE}-wal`)
  const wal = readFileSync(path)
  for (const length of [wal.length - 1, wal.length - 5_000, 0]) {
    writeFileSync(path, wal.subarray(0, length))
    await refuses(newer, 'ledger-cut')
  }
  rmSync(path)
  await refuses(newer, 'ledger-cut')
  // What was refused is whole once the right file is back.
  writeFileSync(path, wal, { mode: 0o600 })
  const broker = await openTestBroker({ dataDir: newer })
  assert.equal(broker.context.ledger.size, size + 1)
  await broker.close('keep-data')
})

test('an older database is refused, and goes on by name only: on record, with no index and no size used twice', async t => {
  const { older, newer, size, admin } = await killed(t)
  for (const name of [DATABASE, `${DATABASE}-wal`]) copyFileSync(join(older, name), join(newer, name))
  const { message, hint } = await refuses(newer, 'ledger-cut')
  assert.match(message, /its last 2 entries are missing/)
  assert.match(hint ?? '', new RegExp(`--restored ${size - 2}$`))
  await refuses(newer, 'config-conflict', { beginning: { restoredAt: size } })
  const broker = await openTestBroker({ dataDir: newer, admin, beginning: { restoredAt: size - 2 } })
  const [restored] = await broker.entries('ledger.restored')
  assert.deepEqual([restored?.['entries'], restored?.['lost']], [size - 2, 2])
  assert.equal((await broker.entries('ledger.lost')).length, 2)
  const { ledger } = broker.context
  assert.equal(ledger.size, size + 2, 'the record of the restoration, two lost entries, and the start')
  assert.equal((await ledger.checkpoint()).size, ledger.size)
  await broker.close('keep-data')
  await refuses(newer, 'config-conflict', { beginning: { restoredAt: size - 2 } })
  const again = await openTestBroker({ dataDir: newer, admin })
  assert.equal((await again.send('GET', '/v1/secrets', {})).body.items.length, 3)
  await again.close('keep-data')
})

test('an older database under a newer write-ahead log is no database, and goes on by no name', async t => {
  const [dataDir, mixed] = [removedAfter(t), removedAfter(t)]
  const broker = await openTestBroker({ dataDir })
  const moveIntoFile = () => {
    const other = new DatabaseSync(join(dataDir, DATABASE))
    other.exec('PRAGMA wal_checkpoint(PASSIVE)')
    other.close()
  }
  moveIntoFile()
  copyFileSync(join(dataDir, DATABASE), join(mixed, 'older'))
  const { size: older } = broker.context.ledger
  await put(broker, 2)
  moveIntoFile()
  await put(broker, 1, 2)
  snapshot(dataDir, mixed)
  await broker.close('keep-data')
  copyFileSync(join(mixed, 'older'), join(mixed, DATABASE))
  const { message, hint } = await refuses(mixed, 'database-damaged')
  assert.match(message, /is older than the write-ahead log beside it .*want at least \d+ entries/)
  await refuses(mixed, 'database-damaged', { beginning: { restoredAt: broker.context.ledger.size } })
  // What the hint says.
  assert.match(hint ?? '', /casemate\.db-wal and .*casemate\.db-shm away/)
  for (const name of ['-wal', '-shm']) rmSync(join(mixed, `${DATABASE}${name}`), { force: true })
  await refuses(mixed, 'ledger-cut')
  const restored = await openTestBroker({ dataDir: mixed, beginning: { restoredAt: older } })
  await restored.close('keep-data')
})

for (const [what, write] of [
  ['readiness', (broker: TestBroker) => broker.send('GET', '/readyz')],
  ['a checkpoint', (broker: TestBroker) => broker.send('GET', '/log/checkpoint')],
] as const)
  test(`an older database that lacks what ${what} wrote is none under a newer write-ahead log either`, async t => {
    const [dataDir, mixed] = [removedAfter(t), removedAfter(t)]
    const broker = await openTestBroker({ dataDir })
    const moveIntoFile = () => {
      const other = new DatabaseSync(join(dataDir, DATABASE))
      other.exec('PRAGMA wal_checkpoint(PASSIVE)')
      other.close()
    }
    await put(broker, 2)
    moveIntoFile()
    copyFileSync(join(dataDir, DATABASE), join(mixed, 'older'))
    const { size } = broker.context.ledger
    await write(broker)
    moveIntoFile()
    assert.equal(broker.context.ledger.size, size)
    await put(broker, 1, 2)
    snapshot(dataDir, mixed)
    await broker.close('keep-data')
    copyFileSync(join(mixed, 'older'), join(mixed, DATABASE))
    const { message } = await refuses(mixed, 'database-damaged')
    assert.match(message, /is older than the write-ahead log beside it .*written at another time/)
  })

test('as many entries as were lost are filled in, however many', async t => {
  const { newer, size } = await killed(t)
  const mark = new MarkFile(join(newer, 'ledger-mark'))
  mark.write({ ...mark.kept!, size: size + 5_000 }, true)
  mark.close()
  await refuses(newer, 'ledger-cut')
  const broker = await openTestBroker({ dataDir: newer, beginning: { restoredAt: size } })
  assert.equal(broker.context.ledger.size, size + 5_002)
  await broker.close('keep-data')
  await openTestBroker({ dataDir: newer }).then(again => again.close('keep-data'))
})

test('a mark that is missing or unreadable is missed; a backup without one goes on by name', async t => {
  const { newer, size } = await killed(t)
  writeFileSync(join(newer, 'ledger-mark'), 'x')
  await refuses(newer, 'mark-damaged')
  rmSync(join(newer, 'ledger-mark'))
  await refuses(newer, 'mark-missing')
  const broker = await openTestBroker({ dataDir: newer, beginning: { restoredAt: size } })
  const [restored] = await broker.entries('ledger.restored')
  assert.deepEqual([restored?.['mark'], restored?.['lost']], [null, null])
  await broker.close('keep-data')
  await openTestBroker({ dataDir: newer }).then(again => again.close('keep-data'))
})

test('a start by name that fails before it is on record leaves no mark, and has to be asked for again', async t => {
  const { newer: dataDir, size, admin } = await killed(t)
  const [kek, mark] = [join(dataDir, 'kek.json'), join(dataDir, 'ledger-mark')]
  const key = readFileSync(kek)
  rmSync(mark)
  writeFileSync(kek, '{}', { mode: 0o600 })
  const beginning = { restoredAt: size }
  await assert.rejects(openTestBroker({ dataDir, admin, beginning }), { code: 'kek-damaged' })
  assert.equal(existsSync(mark), false)
  writeFileSync(kek, key, { mode: 0o600 })
  await refuses(dataDir, 'mark-missing')
})

test('a copy that SQLite makes of a running broker goes on by name, with all that it had then', async t => {
  const [dataDir, restored] = [removedAfter(t), removedAfter(t)]
  const broker = await openTestBroker({ dataDir })
  await put(broker, 3)
  const { size } = broker.context.ledger
  const other = new DatabaseSync(join(dataDir, DATABASE), { readOnly: true })
  other.exec(`VACUUM INTO '${join(restored, DATABASE)}'`)
  other.close()
  copyFileSync(join(dataDir, 'kek.json'), join(restored, 'kek.json'))
  await put(broker, 1, 3)
  await broker.close('keep-data')
  await refuses(restored, 'mark-missing')
  const { admin } = broker
  const again = await openTestBroker({ dataDir: restored, admin, beginning: { restoredAt: size } })
  await again.context.ledger.check()
  assert.equal((await again.send('GET', '/v1/secrets', {})).body.items.length, 3)
  await again.close('keep-data')
})

test('a key file beside an empty log says that there was more, also where nothing else does', async t => {
  const { newer } = await killed(t)
  for (const name of [`${DATABASE}-wal`, 'ledger-mark']) rmSync(join(newer, name))
  const { message } = await refuses(newer, 'mark-missing')
  assert.match(message, /the log is empty .* not its key file/)
})

test('a directory that is moved or restored as a whole needs no name', async t => {
  const { older } = await killed(t)
  await openTestBroker({ dataDir: older }).then(broker => broker.close('keep-data'))
})

test('a database that is cut is damaged, also where a write-ahead log is beside it', async t => {
  const dataDir = removedAfter(t)
  const cut = removedAfter(t)
  const broker = await openTestBroker({ dataDir })
  await put(broker, 20)
  // Its pages are the last, and nothing reads them at start.
  await broker.send('PUT', '/v1/secrets/default/key/large', { payload: Buffer.alloc(60_000) })
  const other = new DatabaseSync(join(dataDir, DATABASE))
  other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  await put(broker, 1, 20)
  other.close()
  const cutTo = (keep: number) => {
    snapshot(dataDir, cut)
    truncateSync(join(cut, DATABASE), keep)
  }
  const length = readFileSync(join(dataDir, DATABASE)).length
  for (const keep of [4096, 50_000, length - 30_000, length - 1]) {
    cutTo(keep)
    const { message } = await refuses(cut, 'database-damaged')
    if (keep > 50_000) assert.match(message, /is cut: it has \d+ of \d+ bytes/)
    // Without it SQLite itself refuses what is cut.
    rmSync(join(cut, `${DATABASE}-wal`))
    await refuses(cut, 'database-damaged')
  }
  await broker.close('keep-data')
})

test('ledger tables that were set back under state that was not are missed, by changes and by attestations', async t => {
  const dataDir = removedAfter(t)
  const broker = await openTestBroker({ dataDir })
  await put(broker, 2)
  const { admin } = broker
  await broker.close('keep-data')
  const path = join(dataDir, DATABASE)
  copyFileSync(path, `${path}.older`)
  copyFileSync(join(dataDir, 'ledger-mark'), join(dataDir, 'mark.older'))
  const next = await openTestBroker({ dataDir, admin })
  await put(next, 1, 2)
  await next.close('keep-data')
  const db = new DatabaseSync(path)
  const tables = ['entry', 'segment', 'tile', 'checkpoint', 'head'].map(name => `ledger_${name}`)
  db.exec(`ATTACH '${path}.older' AS older`)
  for (const table of tables)
    db.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM older.${table}`)
  db.exec('DETACH older')
  // Else the file alone would say that it is newer.
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  copyFileSync(join(dataDir, 'mark.older'), join(dataDir, 'ledger-mark'))
  const state = () => openTestBroker({ dataDir, admin }).then(opened => opened.close('keep-data'))
  await assert.rejects(state(), {
    code: 'database-damaged',
    message: /the last change .* entry \d+ .* has \d+ entries/,
  })
  // The same with an entry that is about something else.
  const value = JSON.stringify({ index: 0, members: { type: 'secret.put', at: '2026-11-22T12:00:00.000Z' } })
  db.prepare("UPDATE broker_settings SET value = ? WHERE name = 'last-change'").run(value)
  await assert.rejects(state(), { code: 'database-damaged', message: /entry 0 .* about something else/ })
  db.exec("DELETE FROM broker_settings WHERE name = 'last-change'")
  await state()
  for (const index of [1, 1_000]) {
    const insert = `INSERT INTO attestations (id, at, verdict, explanation, ledger_index) VALUES ('a${index}', 1, 'accepted', '{}', ${index})`
    db.exec(`DELETE FROM attestations; ${insert}`)
    await assert.rejects(state(), {
      code: 'database-damaged',
      message: new RegExp(`attestation a${index} .* entry ${index} `),
    })
  }
  db.exec('DELETE FROM attestations')
  db.close()
  await state()
})
