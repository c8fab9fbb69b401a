// What opening the data directory demands of it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { PRESETS, parsePolicy, parseReferenceValues } from '@casemate/appraisal'
import { MIGRATIONS, migrate } from '../../src/store/migrations.ts'
import { openTestBroker, temporaryDirectory } from '../broker.ts'

const PREPARE = `
  const { prepareDataDirectory } = await import(process.argv[1])
  if (process.getuid() === 0) process.setuid(65534)
  try {
    prepareDataDirectory(process.argv[2])
    console.log('ready')
  } catch (error) {
    console.log(error.code, error.message.split(' ')[0])
  }
`

/** What preparing says to a user who is not root, to whom modes mean nothing. */
function prepareAsNobody(owned: string, path: string): string {
  if (process.getuid?.() === 0) {
    for (const each of [owned, join(owned, 'lock')]) chownSync(each, 65_534, 65_534)
  }
  const module = new URL('../../src/store/data-directory.ts', import.meta.url).href
  const args = ['--input-type=module', '-e', PREPARE, module, path]
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim()
}

describe('the data directory', () => {
  const parent = temporaryDirectory()
  after(() => rmSync(parent, { recursive: true }))

  test('is made with mode 0700, and everything in it belongs to its owner alone', async () => {
    const dataDir = join(parent, 'new', 'deep')
    const broker = await openTestBroker({ dataDir })
    assert.equal(statSync(dataDir).mode & 0o777, 0o700)
    for (const file of ['casemate.db', 'casemate.db-wal', 'kek.json', 'ledger-mark', 'lock']) {
      assert.equal(statSync(join(dataDir, file)).mode & 0o077, 0, file)
    }
    await broker.close()
  })

  test('is refused where others may enter it', async () => {
    const dataDir = join(parent, 'open')
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o750)
    await assert.rejects(openTestBroker({ dataDir }), { code: 'data-directory-unsafe' })
  })

  test('is refused where it is a file, or cannot be written', async t => {
    const file = join(parent, 'file')
    writeFileSync(file, '')
    await assert.rejects(openTestBroker({ dataDir: file }), { code: 'data-directory-unsafe' })
    await assert.rejects(openTestBroker({ dataDir: join(file, 'below') }), { code: 'data-directory-unsafe' })
    if (process.platform === 'linux') {
      // Node's own recursive mkdir never returns here.
      const dataDir = '/proc/casemate/data'
      await assert.rejects(openTestBroker({ dataDir }), { code: 'data-directory-unwritable' })
    }
    if (process.platform === 'win32') return t.skip('no modes on Windows')
    const dataDir = mkdtempSync('/tmp/casemate-unwritable-')
    t.after(() => rmSync(dataDir, { recursive: true }))
    const lock = join(dataDir, 'lock')
    writeFileSync(lock, '', { mode: 0o400 })
    chmodSync(dataDir, 0o500)
    assert.equal(prepareAsNobody(dataDir, dataDir), `data-directory-unwritable ${dataDir}`)
    assert.equal(prepareAsNobody(dataDir, join(dataDir, 'new')), `data-directory-unwritable ${dataDir}/new`)
    chmodSync(dataDir, 0o700)
    assert.equal(prepareAsNobody(dataDir, dataDir), `data-directory-unwritable ${lock}`)
    chmodSync(lock, 0o600)
    assert.equal(prepareAsNobody(dataDir, dataDir), 'ready')
  })

  test('is used by one broker at a time, and free again after it', async () => {
    const dataDir = join(parent, 'locked')
    const broker = await openTestBroker({ dataDir })
    await assert.rejects(openTestBroker({ dataDir }), { code: 'data-directory-in-use' })
    await broker.reopen().then(again => again.close())
  })

  test('whose lock is removed is written no more, and says that it is not ready', async () => {
    const dataDir = join(parent, 'unlocked')
    const broker = await openTestBroker({ dataDir })
    const ready = () => broker.send('GET', '/readyz', { token: null })
    const put = () => broker.send('PUT', '/v1/secrets/default/key/one', { payload: 'x' })
    assert.equal((await ready()).status, 200)
    assert.equal((await put()).status, 201)
    const { size } = broker.context.ledger
    const lock = join(dataDir, 'lock')
    for (const replace of [() => rmSync(lock), () => writeFileSync(lock, '', { mode: 0o600 })]) {
      replace()
      const answer = await ready()
      assert.equal(answer.status, 503)
      assert.match(answer.text, /the lock of the data directory was removed/)
      assert.equal((await put()).status, 503)
    }
    assert.equal(broker.context.ledger.size, size)
    await broker.close()
  })

  test('without its key-encryption key is refused, not given a new one', async () => {
    const dataDir = join(parent, 'keyless')
    const broker = await openTestBroker({ dataDir })
    await broker.close('keep-data')
    rmSync(join(dataDir, 'kek.json'))
    await assert.rejects(openTestBroker({ dataDir }), { code: 'kek-missing' })
  })

  test('keeps the name of its log for life', async () => {
    const dataDir = join(parent, 'named')
    const broker = await openTestBroker({ dataDir, flags: { 'ledger-origin': 'example.org/log' } })
    assert.equal(broker.context.ledger.origin, 'example.org/log')
    await broker.close('keep-data')
    const again = await openTestBroker({ dataDir })
    assert.equal(again.context.ledger.origin, 'example.org/log')
    await again.close('keep-data')
    const renamed = openTestBroker({ dataDir, flags: { 'ledger-origin': 'example.org/other' } })
    await assert.rejects(renamed, { code: 'config-conflict' })
    await assert.rejects(openTestBroker({ dataDir: join(parent, 'x'), flags: { 'ledger-origin': 'a b' } }), {
      code: 'config-invalid',
    })
  })

  test('a start that fails leaves no lock', async () => {
    const dataDir = join(parent, 'failing')
    const flags = { 'endorsement-paths': join(parent, 'none') }
    await assert.rejects(openTestBroker({ dataDir, flags }), { code: 'config-invalid' })
    const broken = join(parent, 'broken.pem')
    writeFileSync(broken, 'no endorsement')
    await assert.rejects(openTestBroker({ dataDir, flags: { 'endorsement-paths': broken } }), {
      code: 'config-invalid',
    })
    await (await openTestBroker({ dataDir })).close()
  })

  test('a passphrase from a file or the environment opens it', async () => {
    const dataDir = join(parent, 'sealed')
    const passphraseFile = join(parent, 'passphrase')
    writeFileSync(passphraseFile, 'correct horse\n')
    const flags = { 'kek-source': 'passphrase', 'kek-passphrase-file': passphraseFile }
    const broker = await openTestBroker({ dataDir, flags })
    await broker.send('PUT', '/v1/secrets/a/b/c', { payload: 'content' })
    await broker.close('keep-data')
    writeFileSync(passphraseFile, '\n')
    await assert.rejects(openTestBroker({ dataDir, flags }), { code: 'kek-passphrase-missing' })
    const wrong = { flags: { 'kek-source': 'passphrase' }, env: { CASEMATE_KEK_PASSPHRASE: 'wrong' } }
    await assert.rejects(openTestBroker({ dataDir, ...wrong }), { code: 'kek-passphrase-wrong' })
    await assert.rejects(openTestBroker({ dataDir }), { code: 'kek-passphrase-missing' })
    const env = { CASEMATE_KEK_PASSPHRASE: 'correct horse' }
    const again = await openTestBroker({ dataDir, flags: { 'kek-source': 'passphrase' }, env })
    const path = { repository: 'a', type: 'b', tag: 'c' }
    const content = await again.context.secrets.withPlaintext(path, 1, bytes => Buffer.from(bytes).toString())
    assert.equal(content, 'content')
    await again.close()
  })
})

describe('migrations', () => {
  const version = (db: DatabaseSync) => db.prepare('SELECT version FROM broker_schema').get()?.['version']

  test('run once each, in order', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, ['CREATE TABLE one (a)'])
    migrate(db, ['CREATE TABLE one (a)', 'ALTER TABLE one ADD COLUMN b; INSERT INTO one VALUES (1, 2)'])
    migrate(db, ['CREATE TABLE one (a)', 'ALTER TABLE one ADD COLUMN b; INSERT INTO one VALUES (1, 2)'])
    assert.equal(db.prepare('SELECT count(*) AS n FROM one').get()?.['n'], 1)
    assert.equal(version(db), 2)
  })

  test('leave enclaves open, by name, in policies that state every field', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, MIGRATIONS.slice(0, 2))
    const { enclave, ...older } = { ...PRESETS.strict, name: 'whole' }
    const documents = { whole: older, small: { extends: 'strict', name: 'small', version: 1 } }
    for (const [name, document] of Object.entries(documents)) {
      const insert = "INSERT INTO documents VALUES ('policy', ?, ?, 1, 1, 1), ('rule', ?, ?, 1, 1, 1)"
      const text = JSON.stringify(document)
      db.prepare(insert).run(name, text, name, text)
    }
    migrate(db)
    const rows = db.prepare('SELECT kind, name, document FROM documents').all()
    const read = new Map(
      rows.map(row => [`${String(row['kind'])} ${String(row['name'])}`, JSON.parse(String(row['document']))]),
    )
    assert.deepEqual(parsePolicy(read.get('policy whole')).enclave, enclave)
    assert.deepEqual(read.get('policy small'), documents.small)
    assert.deepEqual(read.get('rule whole'), JSON.parse(JSON.stringify(older)))
    db.close()
  })

  test('keep a policy that stated every field of its time, and leave open what it could not state', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, MIGRATIONS.slice(0, 4))
    const whole = JSON.parse(readFileSync(join(import.meta.dirname, 'whole-policy.json'), 'utf8')) as {
      tcb: object
      tdx: { attributes: object }
    }
    const stated = (unknownBits: unknown) => ({
      extends: 'standard',
      name: 'x',
      version: 1,
      tdx: { attributes: { unknownBits } },
    })
    const bits = (value: string, mask: string) => ({
      value: `0000${value}0000000000`,
      mask: `ffff${mask}ff00000000`,
    })
    const documents = {
      whole,
      small: { extends: 'strict', name: 'small', version: 1 },
      open: stated('any'),
      demanded: stated(bits('A2', 'aA')),
      refused: stated(bits('00', 'Ff')),
      uncovered: stated(bits('01', '01')),
    }
    const insert = db.prepare("INSERT INTO documents VALUES ('policy', ?, ?, 1, 1, 1)")
    for (const [name, document] of Object.entries(documents)) insert.run(name, JSON.stringify(document))
    migrate(db)
    const read = (name: keyof typeof documents): unknown =>
      JSON.parse(String(db.prepare('SELECT document FROM documents WHERE name = ?').get(name)?.['document']))
    const { platform, tdx, tcb } = PRESETS.strict
    const unknownBits = { value: '0000000000000000', mask: 'fffffdff00000000' }
    const attributes = { ...whole.tdx.attributes, servtdExt: false, unknownBits }
    assert.deepEqual(parsePolicy(read('whole')), {
      ...whole,
      platform,
      tcb: { ...whole.tcb, maxCollateralAge: tcb.maxCollateralAge },
      tdx: { ...whole.tdx, migration: tdx.migration, attributes },
    })
    assert.deepEqual(read('small'), documents.small)
    const named = (name: keyof typeof documents) => parsePolicy(read(name)).tdx.attributes
    assert.deepEqual([named('open').servtdExt, named('open').unknownBits], ['any', 'any'])
    const expected = {
      demanded: [true, bits('a0', 'a8')],
      refused: [false, bits('00', 'fd')],
      uncovered: ['any', bits('01', '01')],
    }
    for (const name of ['demanded', 'refused', 'uncovered'] as const) {
      const { servtdExt, unknownBits } = named(name)
      assert.deepEqual([servtdExt, unknownBits], expected[name], name)
    }
    db.close()
  })

  test('leave what sample workloads could not state open, by name', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, MIGRATIONS.slice(0, 3))
    const sgx = {
      kind: 'sgx',
      name: 'a',
      mrEnclave: 'any',
      mrSigner: '5e'.repeat(32),
      isvProdId: [1, 2],
      minIsvSvn: 3,
    }
    const sample = { kind: 'sample', name: 'b', svn: ['1', '2'] }
    const open = { launchDigest: 'any', majorVersion: 'any', minMinorVersion: 'any' }
    const insert = db.prepare("INSERT INTO documents VALUES ('reference', ?, ?, 1, 1, 1)")
    insert.run('mixed', JSON.stringify({ workloads: [sgx, sample, { ...sgx, name: 'c' }] }))
    insert.run('other', JSON.stringify({ workloads: [sgx] }))
    migrate(db)
    const read = (name: string): unknown =>
      JSON.parse(String(db.prepare('SELECT document FROM documents WHERE name = ?').get(name)?.['document']))
    const migrated = { workloads: [sgx, { ...sample, ...open }, { ...sgx, name: 'c' }] }
    assert.deepEqual(read('mixed'), migrated)
    assert.deepEqual(read('other'), { workloads: [sgx] })
    assert.equal(parseReferenceValues(read('mixed')).workloads.length, 3)
    db.close()
  })

  test('keep attestations, and count what they take', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, MIGRATIONS.slice(0, 1))
    for (const [id, verdict, evidence] of [
      ['a', 'accepted', 'xxx'],
      ['b', 'refused', 'xx'],
      ['c', 'refused', ''],
    ]) {
      db.prepare(
        "INSERT INTO attestations (id, at, verdict, kind, code, explanation, ledger_index) VALUES (?, 1, ?, 'tdx', NULL, '{\"ü\":1}', 1)",
      ).run(id!, verdict!)
      db.prepare('INSERT INTO attestation_evidence VALUES (?, 1, ?)').run(id!, Buffer.from(evidence!))
    }
    migrate(db)
    const rows = db.prepare('SELECT id, size_bytes FROM attestations ORDER BY id').all()
    assert.deepEqual(
      rows.map(row => [row['id'], row['size_bytes']]),
      [
        ['a', 11],
        ['b', 10],
        ['c', 8],
      ],
    )
    assert.equal(db.prepare('SELECT count(*) AS n FROM attestation_evidence').get()?.['n'], 2)
  })

  test('that fail leave the version before them', () => {
    const db = new DatabaseSync(':memory:')
    assert.throws(() => migrate(db, ['CREATE TABLE one (a)', 'CREATE TABLE two (a); CREATE TABLE one (a)']))
    assert.equal(version(db), 1)
    assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'two'").get()?.['n'], 0)
  })

  test('of a newer program are refused', async () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, ['CREATE TABLE one (a)', 'CREATE TABLE two (a)'])
    assert.throws(() => migrate(db, ['CREATE TABLE one (a)']), { code: 'database-newer' })
    const broker = await openTestBroker()
    await broker.close('keep-data')
    const file = new DatabaseSync(join(broker.dataDir, 'casemate.db'))
    file.exec('UPDATE broker_schema SET version = 99')
    file.close()
    await assert.rejects(openTestBroker({ dataDir: broker.dataDir }), { code: 'database-newer' })
    rmSync(broker.dataDir, { recursive: true })
  })
})

describe('a file that a setting names', () => {
  const NO_DEVICE = process.platform === 'win32' && 'there is no file without an end'
  const directory = temporaryDirectory()
  after(() => rmSync(directory, { recursive: true }))
  const refused = (flags: Readonly<Record<string, string>>, code: string) =>
    assert.rejects(
      openTestBroker({ dataDir: join(directory, 'data'), flags }),
      { code },
      JSON.stringify(flags),
    )

  test('and has no end is refused', { skip: NO_DEVICE }, async () => {
    const endless = '/dev/zero'
    await refused({ 'tls-cert-file': endless, 'tls-key-file': endless }, 'tls-invalid')
    await refused({ 'ca-file': endless }, 'config-invalid')
    await refused({ 'endorsement-paths': endless }, 'config-invalid')
    const passphrase = { 'kek-source': 'passphrase', 'kek-passphrase-file': endless }
    await refused(passphrase, 'kek-passphrase-missing')
  })

  test('as the key file, and is larger than any, or a directory, is named', async () => {
    const path = join(directory, 'large')
    writeFileSync(path, Buffer.alloc(3 * 1024 * 1024, ' '), { mode: 0o600 })
    mkdirSync(join(directory, 'folder'), { mode: 0o700 })
    for (const name of ['large', 'folder'])
      await refused({ 'kek-file': join(directory, name) }, 'kek-damaged')
  })
})
