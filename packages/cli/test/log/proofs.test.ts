// `log check` against a log that is served as it should be, and against one that was set back, rewritten or cut.
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { parseTilePath } from '@casemate/ledger'
import { type Ledger, openDatabase, openLedger, SqliteLedger } from '@casemate/ledger/node'
import { casemate, type Ran, temporaryDirectory } from '../run.ts'

const cwd = temporaryDirectory(after)
const { privateKey } = generateKeyPairSync('ed25519')
let log: Ledger
let rewritten: Ledger
/** The log that is served, and its checkpoint, where not the present one. */
let served: { ledger: Ledger; checkpoint?: string; cut?: true }
const asked: string[] = []

async function openLog(name: string, signingKey: KeyObject): Promise<Ledger> {
  const db = openDatabase(join(cwd, name))
  const ledger = await openLedger({
    database: new SqliteLedger(db),
    origin: 'check.example/log',
    signingKey,
    now: () => new Date(),
  })
  closing.push(async () => {
    await ledger.close()
    db.close()
  })
  return ledger
}

const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closing) await close()
})

async function fill(ledger: Ledger, what: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => ledger.append({ what, index })))
}

async function answer(url: string): Promise<string | Uint8Array> {
  const { ledger, checkpoint, cut } = served
  if (url === '/log/checkpoint') return checkpoint ?? (await ledger.checkpoint()).note
  const id = parseTilePath(url.replace('/log/', ''))
  assert.ok(id.kind === 'tile')
  const tile = await ledger.tile(id.level, id.index, id.width)
  return cut === true ? tile.subarray(1) : tile
}

const server = createServer((request, response) => {
  asked.push(`${request.url}${request.headers.authorization ?? ''}`)
  answer(request.url ?? '').then(
    body => response.end(body),
    () => response.writeHead(404).end('{}'),
  )
})
after(() => {
  server.closeAllConnections()
  server.close()
})

before(async () => {
  log = await openLog('log.db', privateKey)
  rewritten = await openLog('rewritten.db', privateKey)
  await fill(log, 'one', 300)
  await fill(rewritten, 'another', 600)
  writeFileSync(join(cwd, 'then.txt'), (await log.checkpoint()).note)
  writeFileSync(join(cwd, 'log.key'), log.verifierKey)
  await fill(log, 'one', 1)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
beforeEach(() => asked.splice(0))

function check(since = 'then.txt'): Promise<Ran> {
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return casemate(['log', 'check', '--since', since, '--key', 'log.key', '--server', url], { cwd })
}

test('growth is proved from public tiles, by somebody without a token', async () => {
  served = { ledger: log }
  const { code, stdout, stderr } = await check()
  assert.equal(code, 0, stderr)
  assert.match(stdout, /the 301 entries of now begin with the 300 of then\n/)
  assert.match(stdout, /Verdict: consistent, nothing was removed or changed, 1 added\n$/)
  assert.deepEqual(asked, ['/log/checkpoint', '/log/tile/0/001.p/45', '/log/tile/1/000.p/1'])
})

test('a log that was set back is told by its size', async () => {
  writeFileSync(join(cwd, 'now.txt'), (await log.checkpoint()).note)
  served = { ledger: log, checkpoint: readFileSync(join(cwd, 'then.txt'), 'utf8') }
  const { code, stderr } = await check('now.txt')
  assert.equal(code, 1)
  assert.match(stderr, /^casemate: proof-invalid: the log now has 300 entries, and had 301\n/)
})

test('a log that was rewritten, with signatures as good as ever, is inconsistent', async () => {
  served = { ledger: rewritten }
  const { code, stderr } = await check()
  assert.equal(code, 1)
  assert.match(stderr, /^casemate: checkpoint-inconsistent: [^]*hint: keep both checkpoints/)
})

test('a tile that is cut short proves nothing', async () => {
  served = { ledger: log, cut: true }
  const { code, stderr } = await check()
  assert.equal(code, 1)
  assert.match(stderr, /^casemate: tile-malformed: /)
})
