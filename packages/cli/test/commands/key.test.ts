// The key-encryption key on the command line: what protects it is changed, old versions are retired, backups are restored.
// CASEMATE_LONG_TESTS=1 kills `key protect` before each of its steps.

import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { resolveConfig, startBroker } from '@casemate/broker'
import { casemate, casemateProcess, type Ran, temporaryDirectory } from '../run.ts'

const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const KILLER = fileURLToPath(new URL('kill-at-step.ts', import.meta.url))
/** Right before and right after the new file takes the place of the old one. */
const SHORT = ['rename', 'renamed']
const ROOT = temporaryDirectory(after)
let made = 0
const place = (): string => join(ROOT, `data-${made++}`)

interface Started {
  readonly token: string | null
  command(...words: string[]): Promise<Ran>
  stop(): Promise<void>
}

async function start(
  dataDir: string,
  flags: Readonly<Record<string, string>>,
  token?: string,
): Promise<Started> {
  const settings = { 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off', offline: 'true' }
  const { values } = resolveConfig({
    flags: { ...settings, 'log-level': 'silent', ...flags },
    env: {},
    file: null,
  })
  const broker = await startBroker(values, {
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    anchors: [],
    endorsements: [],
    logger: null,
  })
  const env = { CASEMATE_SERVER: broker.url, CASEMATE_TOKEN: broker.firstAdminToken ?? token ?? '' }
  return {
    token: broker.firstAdminToken,
    command: (...words) => casemate(words, { cwd: ROOT, env, input: 'content' }),
    stop: () => broker.close(),
  }
}

/** A broker's data with one secret, and its administrator's token. */
async function stopped(dataDir: string): Promise<string> {
  const broker = await start(dataDir, {})
  assert.equal((await broker.command('secret', 'put', 'a/b/c', '-')).code, 0)
  await broker.stop()
  return broker.token ?? ''
}

function copy(dataDir: string): string {
  const backup = place()
  cpSync(dataDir, backup, { recursive: true })
  return backup
}

function passphrase(text: string): string {
  const file = join(ROOT, `passphrase ${made++}`)
  writeFileSync(file, `${text}\n`)
  return file
}

const under = (file: string) => ({ 'kek-source': 'passphrase', 'kek-passphrase-file': file })
const asFlags = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])

async function protect(
  dataDir: string,
  words: readonly string[],
  now: Readonly<Record<string, string>> = {},
) {
  return casemate(['key', 'protect', ...words, ...asFlags({ 'data-dir': dataDir, ...now })], { cwd: ROOT })
}

/** Starts, has the secret, and stops. */
async function opens(dataDir: string, flags: Readonly<Record<string, string>>, token: string): Promise<void> {
  const broker = await start(dataDir, flags, token)
  assert.match((await broker.command('secret', 'list')).stdout, /a\/b\/c/)
  await broker.stop()
}

/** The error of a start that is refused. */
async function refusedStart(dataDir: string, flags: Readonly<Record<string, string>> = {}): Promise<string> {
  const args = [
    'up',
    ...asFlags({ 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off', ...flags }),
  ]
  const { code, stderr } = await casemate(args, { cwd: ROOT })
  assert.equal(code, 2, stderr)
  return stderr
}

describe('casemate key protect', () => {
  test('goes from a key file to a passphrase, to another one, and back; a backup opens with what it needs', async () => {
    const dataDir = place()
    const token = await stopped(dataDir)
    const backup = copy(dataDir)
    const [one, two] = [passphrase('correct horse'), passphrase('battery staple')]

    const first = await protect(dataDir, ['passphrase', '--new-passphrase-file', one])
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stdout, /protected by the new passphrase now: versions 1\n/)
    assert.ok(first.stdout.includes(`--kek-source passphrase --kek-passphrase-file '${one}'`), first.stdout)
    await opens(dataDir, under(one), token)
    assert.match(
      await refusedStart(dataDir),
      /^casemate: kek-passphrase-missing: [^]*\nhint: set kekSource to passphrase/,
    )

    const second = await protect(dataDir, ['passphrase', '--new-passphrase-file', two, '--json'], under(one))
    const { protection, versions, keyFile, ledgerIndex } = JSON.parse(second.stdout)
    assert.deepEqual([protection, versions, keyFile], ['passphrase', [1], join(dataDir, 'kek.json')])
    assert.equal(typeof ledgerIndex, 'number')
    assert.match(await refusedStart(dataDir, under(one)), /^casemate: kek-passphrase-wrong: [^]*\nhint: /)

    // The backup's own key file opens as it did; under the new key file the same database opens with its passphrase.
    const mixed = copy(backup)
    await opens(backup, {}, token)
    cpSync(join(dataDir, 'kek.json'), join(mixed, 'kek.json'))
    await opens(mixed, under(two), token)

    const third = await protect(dataDir, ['file'], under(two))
    assert.match(third.stdout, /by the mode of its file alone now[^]*start the broker with --kek-source file/)
    await opens(dataDir, {}, token)
    const broker = await start(dataDir, {}, token)
    assert.equal((await broker.command('log', 'show')).stdout.match(/kek\.protected/g)?.length, 3)
    const running = await protect(dataDir, ['file'])
    assert.equal(running.code, 2)
    assert.match(running.stderr, /^casemate: data-directory-in-use: [^]*\nhint: stop it first/)
    await broker.stop()
  })

  test('says what is wrong, and changes nothing', async () => {
    const dataDir = place()
    await stopped(dataDir)
    const [right, wrong] = [passphrase('right'), passphrase('wrong')]
    const empty = passphrase('')
    const next = ['passphrase', '--new-passphrase-file', right]
    await protect(dataDir, next)
    const before = readFileSync(join(dataDir, 'kek.json'), 'utf8')
    for (const [words, now, said] of [
      [next, under(wrong), /^casemate: kek-passphrase-wrong: the passphrase does not open/],
      [next, {}, /^casemate: kek-passphrase-missing: .* is protected by a passphrase\nhint: /],
      [
        ['passphrase', '--new-passphrase-file', join(ROOT, 'none')],
        under(right),
        /^casemate: kek-passphrase-missing: /,
      ],
      [
        ['passphrase', '--new-passphrase-file', empty],
        under(right),
        /^casemate: kek-passphrase-missing: .* is empty\nhint: .*in one line/,
      ],
      [['passphrase'], under(right), /^casemate: argument-missing: .*--new-passphrase-file FILE\nhint: /],
      [['file', '--new-passphrase-file', right], under(right), /^casemate: flag-value-unwanted: /],
      [['hsm'], under(right), /^casemate: argument-unexpected: .*hsm\nhint: one of passphrase, file/],
    ] as const) {
      const { code, stderr } = await protect(dataDir, words, now)
      assert.equal(code, 2)
      assert.match(stderr, said)
    }
    assert.equal(readFileSync(join(dataDir, 'kek.json'), 'utf8'), before)
    const nowhere = join(ROOT, 'nowhere')
    assert.match(
      (await protect(nowhere, ['file'])).stderr,
      /^casemate: kek-missing: [^]*\nhint: .*--data-dir DIR/,
    )
    assert.equal(existsSync(nowhere), false)
  })

  test('that is killed before any of its steps leaves what the old opens, or the new', async t => {
    const dataDir = place()
    const token = await stopped(dataDir)
    const [one, two] = [passphrase('one'), passphrase('two')]
    const moves = [
      { words: ['passphrase', '--new-passphrase-file', one], from: {}, to: under(one) },
      { words: ['passphrase', '--new-passphrase-file', two], from: under(one), to: under(two) },
      { words: ['file'], from: under(two), to: {} },
    ]
    for (const { words, from, to } of IS_LONG ? moves : moves.slice(0, 1)) {
      let [isDone, old, fresh] = [false, 0, 0]
      for (let step = 1; !isDone; step++) {
        const at = IS_LONG ? `${step}` : SHORT[step - 1]
        if (at === undefined) break
        const killed = copy(dataDir)
        const args = ['key', 'protect', ...words, ...asFlags({ 'data-dir': killed, ...from })]
        const env = { NODE_OPTIONS: `--import=${KILLER}`, CASEMATE_KILL_AT: at }
        const { code, stderr } = await casemateProcess(args, { cwd: ROOT, env })
        isDone = code === 0
        if (!isDone) assert.equal(code, null, stderr)
        const isOld = (await protect(copy(killed), ['file'], from)).code === 0
        await opens(killed, isOld ? from : to, token)
        assert.equal(existsSync(join(killed, 'kek.json.new')), false)
        if (isOld) old++
        else fresh++
        // Once the new one counts, it stays so.
        assert.ok(!isOld || fresh === 0)
      }
      assert.ok(old > 0 && fresh > 0, `${old} ${fresh}`)
      if (!IS_LONG) return
      t.diagnostic(`${words[0]}: killed ${old} times before it counted, ${fresh - 1} times after`)
      assert.equal((await protect(dataDir, words, from)).code, 0)
    }
  })
})

describe('casemate key retire', () => {
  test('takes a version away once nothing needs it; a backup that does is refused by name', async () => {
    const dataDir = place()
    const token = await stopped(dataDir)
    const [own, withBoth, withNew] = [copy(dataDir), copy(dataDir), copy(dataDir)]
    const broker = await start(dataDir, {}, token)
    const current = await broker.command('key', 'retire', 'kek', '1')
    assert.equal(current.code, 1)
    assert.match(
      current.stderr,
      /^casemate: conflict: version 1 is the current one\nhint: rotate the key first/,
    )
    assert.equal((await broker.command('key', 'rotate', 'kek')).code, 0)
    const listed = (await broker.command('key', 'list')).stdout
    assert.match(listed, /\nkek +1 +previous [^]*\nkek +2 +current /)
    cpSync(join(dataDir, 'kek.json'), join(withBoth, 'kek.json'))
    const retired = await broker.command('key', 'retire', 'kek', '1')
    assert.match(retired.stdout, /^version 1 .* is retired: backups that need it open no more\n$/)
    assert.match((await broker.command('key', 'retire', 'kek', '1')).stderr, /^casemate: key-missing: /)
    assert.doesNotMatch((await broker.command('key', 'list')).stdout, /\nkek +1 /)
    assert.match((await broker.command('secret', 'list')).stdout, /a\/b\/c/)
    await broker.stop()

    await opens(own, {}, token)
    await opens(withBoth, {}, token)
    cpSync(join(dataDir, 'kek.json'), join(withNew, 'kek.json'))
    const said = await refusedStart(withNew)
    assert.match(said, /^casemate: kek-missing: version 1 of .* is not in .*kek\.json, which has 2\nhint: /)
    assert.match(said, /version 1 was retired since: restore the key file from the time of the database/)
  })

  test('takes only a version of the key-encryption key, by its number', async () => {
    const dataDir = place()
    await stopped(dataDir)
    for (const [words, said] of [
      [['signing', '1'], /^casemate: argument-unexpected: [^]*signing keys retire by themselves/],
      [['kek', 'one'], /^casemate: argument-unexpected: [^]*casemate key list/],
    ] as const) {
      const { code, stderr } = await casemate(['key', 'retire', ...words], {
        cwd: ROOT,
        env: { CASEMATE_TOKEN: 'cmt_t' },
      })
      assert.equal(code, 2)
      assert.match(stderr, said)
    }
  })
})
