// First starts that do not come to their end, and what the next one makes of them.
// CASEMATE_LONG_TESTS=1 cuts the tour off at more places.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN } from '../bin.ts'
import { casemate, casemateProcess, serving, temporaryDirectory } from '../run.ts'

/** Right after the file is there; of signals at the same place, and of places where the next test cuts too, one is enough. */
const CUTS = [
  ['simulator/intel.json', 'SIGKILL'],
  ['casemate.db', 'SIGINT'],
  ['tour/quote.bin', 'SIGTERM'],
] as const
const MORE_CUTS = [
  ['casemate.db', 'SIGKILL'],
  ['admin-token', 'SIGKILL'],
] as const
const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const TOUR_END = /Ctrl-C stops/
const FULL_TOUR = /1 {2}Prepare\n[^]*5 {2}Record\n/

/** What a start without a terminal left for its administrator. */
function tokenIn(cwd: string): string {
  return readFileSync(join(cwd, '.casemate/admin-token'), 'utf8').trim()
}

async function takenAddress(atEnd: (clean: () => void) => void): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => server.close())
  const address = server.address()
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

test('a start whose port is taken costs no token, with the tour and without', async t => {
  const clean = (atEnd: () => void): void => t.after(atEnd)
  const taken = await takenAddress(clean)
  for (const [args, ready] of [
    [[], /casemate token revoke/],
    [['--tour'], TOUR_END],
  ] as const) {
    const cwd = temporaryDirectory(clean)
    for (const flags of [
      ['--listen', taken, '--metrics-listen', 'off'],
      ['--listen', '127.0.0.1:0', '--metrics-listen', taken],
    ]) {
      const refused = await casemate(['up', ...args, ...flags], { cwd })
      assert.equal(refused.code, 2)
      assert.match(refused.stderr, /^casemate: address-in-use: /)
    }
    const next = await serving(args, ready, { cwd })
    const listed = await casemate(['token', 'list', '--server', next.url, '--json'], { cwd })
    assert.equal(JSON.parse(listed.stdout).items.length, 1, listed.stdout)
    if (args.length > 0) assert.match(next.text, FULL_TOUR)
    await next.stop('SIGTERM')
  }
})

test('the tour serves no metrics unless it is told where, so that their port may be taken', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const child = spawn(process.execPath, [BIN, 'up', '--tour', '--json', '--listen', '127.0.0.1:0'], { cwd })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(JSON.parse(line.toString()).metricsUrl, null)
})

/** Starts it, and ends it as soon as the file is there. */
async function endedAt(file: string, signal: NodeJS.Signals, cwd: string): Promise<string> {
  const args = [BIN, 'up', '--tour', '--listen', '127.0.0.1:0']
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.on('data', chunk => (text += String(chunk)))
  child.stderr.on('data', chunk => (text += String(chunk)))
  const closed = once(child, 'close')
  while (!existsSync(join(cwd, '.casemate', file)) && child.exitCode === null) {
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  child.kill(signal)
  await closed
  return text
}

test('a tour that was cut off, wherever it was, is taken up again and leaves a token that works', async t => {
  for (const [file, signal] of IS_LONG ? [...CUTS, ...MORE_CUTS] : CUTS) {
    const cwd = temporaryDirectory(clean => t.after(clean))
    const cut = await endedAt(file, signal, cwd)
    assert.doesNotMatch(cut, /internal-error/, file)
    const over = TOUR_END.test(cut)
    const next = await serving(['--tour'], TOUR_END, { cwd })
    if (!over) assert.match(next.text, FULL_TOUR, file)
    if (!over) assert.match(next.text, /It is in \.casemate\/admin-token /, file)
    assert.equal(next.text.match(/^ {4}npx --no casemate /gm)?.length, 3, next.text)
    const listed = await casemate(['token', 'list', '--server', next.url], { cwd })
    assert.equal(listed.code, 0, listed.stderr)
    await next.stop('SIGTERM')
  }
})

test('a tour that was cut off after its token was made and before it was saved makes another', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  await (await serving(['--tour'], TOUR_END, { cwd })).stop('SIGTERM')
  writeFileSync(join(cwd, '.casemate/tour/unfinished'), '')
  for (const file of ['admin-token', 'tour/quote.bin', 'tour/receipt.json', 'tour/log.key']) {
    rmSync(join(cwd, '.casemate', file))
  }
  const next = await serving(['--tour'], TOUR_END, { cwd })
  assert.match(next.text, FULL_TOUR)
  assert.match(next.text, /It is in \.casemate\/admin-token /)
  const listed = await casemate(['secret', 'list', '--server', next.url], { cwd })
  assert.match(listed.stdout, /default\/demo\/greeting +1 /, 'what was there already has stayed')
  await next.stop('SIGTERM')
})

test('a tour that what was changed keeps from its end offers only files that are there', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const first = await serving(['--tour'], TOUR_END, { cwd })
  writeFileSync(join(cwd, 'strict.yaml'), 'extends: strict\nname: default\nversion: 2\n')
  const set = ['policy', 'set', 'default', 'strict.yaml', '--server', first.url]
  assert.equal((await casemate(set, { cwd })).code, 0)
  await first.stop('SIGTERM')
  writeFileSync(join(cwd, '.casemate/tour/unfinished'), '')
  for (const file of ['quote.bin', 'receipt.json']) rmSync(join(cwd, '.casemate/tour', file))
  const next = await serving(['--tour'], TOUR_END, { cwd })
  assert.match(next.text, /Changed since\n/)
  assert.deepEqual(next.text.match(/npx --no casemate \w+ \w+/g), ['npx --no casemate secret get'])
  await next.stop('SIGTERM')
})

test('a lost token is made good for by --new-admin-token, and a start without it says so', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  await (await serving([], /casemate token revoke/, { cwd })).stop('SIGKILL')
  rmSync(join(cwd, '.casemate/admin-token'))
  const silent = await serving([], /--new-admin-token/, { cwd })
  assert.doesNotMatch(silent.text, /admin-token \(/)
  await silent.stop('SIGTERM')
  const recovered = await serving(['--new-admin-token'], /casemate token revoke/, { cwd })
  const env = { CASEMATE_TOKEN: tokenIn(cwd), CASEMATE_SERVER: recovered.url }
  const shown = await casemate(['log', 'show'], { cwd, env })
  assert.match(shown.stdout, /token\.created +start +recovered\n/)
  await recovered.stop('SIGTERM')
})

test('each start names a file that still has a token, and says when that has ended', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  await (await serving([], /casemate token revoke/, { cwd })).stop('SIGKILL')
  const first = tokenIn(cwd)
  const again = await serving([], /token is in \.casemate\/admin-token [^]*token revoke/, { cwd })
  assert.equal(tokenIn(cwd), first)
  const env = { CASEMATE_SERVER: again.url }
  const made = await casemate(['token', 'create', 'me', '--role', 'admin', '--json'], { cwd, env })
  const mine = { ...env, CASEMATE_TOKEN: JSON.parse(made.stdout).token }
  assert.equal((await casemate(['token', 'revoke', first.slice(4, 20)], { cwd, env: mine })).code, 0)
  await again.stop('SIGTERM')
  const ended = await serving([], /--new-admin-token/, { cwd })
  assert.match(ended.text, /the token in \.casemate\/admin-token has ended or was revoked; remove the file\n/)
  await ended.stop('SIGTERM')
  rmSync(join(cwd, '.casemate/admin-token'))
  mkdirSync(join(cwd, '.casemate/admin-token/no-file'), { recursive: true })
  const unread = await serving([], /--new-admin-token/, { cwd })
  await unread.stop('SIGTERM')
})

test('a person’s screen shows the token, with its end and beside no log, and a start without the tour keeps none', async t => {
  for (const [args, kept] of [
    [['--tour'], true],
    [[], false],
  ] as const) {
    const cwd = temporaryDirectory(clean => t.after(clean))
    const open = 'import pty, sys; pty.spawn(sys.argv[1:])'
    const up = [process.execPath, BIN, 'up', ...args, '--listen', '127.0.0.1:0', '--metrics-listen', 'off']
    const child = spawn('python3', ['-c', open, ...up], { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
    const spawned = await once(child, 'spawn').catch(() => null)
    if (spawned === null) return t.skip('no python3, which opens the pseudo-terminal')
    t.after(() => child.kill('SIGKILL'))
    let text = ''
    for await (const chunk of child.stdout) {
      text += String(chunk)
      if (/token revoke|It ends on\s+\d{4}-\d\d-\d\d\./.test(text)) break
    }
    assert.equal(text.match(/cmt_\S{60}/g)?.length, 1, text)
    assert.equal(existsSync(join(cwd, '.casemate/admin-token')), kept)
    child.kill('SIGTERM')
  }
})

test('a start without the tour still trusts the machine of the tour, and its policy still decides', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  await (await serving(['--tour'], TOUR_END, { cwd })).stop('SIGTERM')
  const plain = await serving(['--new-admin-token'], /casemate token revoke/, { cwd })
  assert.match(plain.text, /simulated machine in \.casemate\/simulator, [^\n]+ verifies here/)
  const env = { CASEMATE_SERVER: plain.url }
  const got = await casemate(['secret', 'get', 'default/demo/greeting'], { cwd, env })
  assert.equal(got.stdout, 'Good morning from inside the vault.', got.stderr)
  writeFileSync(join(cwd, 'strict.yaml'), 'extends: strict\nname: default\nversion: 2\n')
  assert.equal((await casemate(['policy', 'set', 'default', 'strict.yaml'], { cwd, env })).code, 0)
  const refused = await casemate(['secret', 'get', 'default/demo/greeting'], { cwd, env })
  assert.match(refused.stderr, /^casemate: appraisal-refused: /)
  await plain.stop('SIGTERM')
})

test('a token that cannot be kept ends the start with a way out', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  mkdirSync(join(cwd, '.casemate/admin-token/no-file'), { recursive: true, mode: 0o700 })
  const up = ['up', '--listen', '127.0.0.1:0', '--metrics-listen', 'off']
  const { code, stderr } = await casemate(up, { cwd })
  assert.equal(code, 2)
  assert.match(
    stderr,
    /casemate: file-not-writable: [^\n]*admin-token: it is a directory\nhint: [^\n]*--new-admin-token/,
  )
})

test('a data directory that is a file is refused with a way out, before anything is made', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  writeFileSync(join(cwd, 'file'), 'mine')
  for (const tour of [[], ['--tour']]) {
    const { code, stderr } = await casemateProcess(['up', ...tour, '--data-dir', 'file'], { cwd })
    assert.equal(code, 2)
    assert.match(stderr, /^casemate: data-directory-unsafe: file is not a directory\nhint: .*--data-dir/)
  }
  assert.equal(readFileSync(join(cwd, 'file'), 'utf8'), 'mine')
})

test('the tour keeps within 80 columns, but for what is to be copied', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const { stepLines, tokenLines } = await import('../../src/tour/tour-text.ts')
  const { openTerminal } = await import('../../src/terminal/terminal.ts')
  const { stdin, stdout, stderr } = process
  const terminal = { ...openTerminal({ stdin, stdout, stderr, env: {} }, false), columns: 80 }
  const detail = 'one two three four five six seven eight nine ten '.repeat(4).trim()
  const step = {
    title: 'T',
    sentence: detail,
    proofs: [
      { what: 'secret', detail },
      { what: 'x', detail },
    ],
  }
  const token = `cmt_${'0'.repeat(16)}_${'a'.repeat(43)}`
  const lines = [
    ...stepLines(step, 1, terminal),
    ...tokenLines({ token, savedTo: join(cwd, 'admin-token'), endsAt: new Date(0) }, terminal),
  ]
  for (const line of lines) assert.ok(line.length <= 80, line)
  assert.ok(lines.includes(`  ${token}`))
  assert.equal(lines.filter(line => /^ {15}\w/.test(line)).length, 6, lines.join('\n'))
})
