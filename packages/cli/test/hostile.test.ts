// Strings from elsewhere (brokers, evidence, receipts, file names) are shown, and never obeyed by the terminal.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openBrokerRoot, seal } from '@casemate/enclave'
import { openDatabase, openLedger, SqliteLedger } from '@casemate/ledger/node'
import { openSimulator } from '../src/attesting/simulator.ts'
import { FIRST_WORDS } from '../src/commands.ts'
import { casemate, type Ran, temporaryDirectory } from './run.ts'

/** A clipboard write, a cleared screen, CSI as C1, a title, colours, a bidi override, and a line of its own. */
const HOSTILE =
  'a\u001b]52;c;cm0gLXJm\u0007\u001b[2J\u009b31m\u009d0;x\u009c\u001b[32mFORGED\u001b[39m\u007f\b\t\r\u202eb\u2066\u200f\u061c\u0085\u2028\nVerdict: TRUSTED'
const ESCAPE = '\u001b'
const OUR_COLOURS = new RegExp(`${ESCAPE}\\[(?:1|2|22|31|32|33|36|39)m`, 'g')

/** C0, DEL, C1, marks of direction, and separators of lines, each by its number. */
function isObeyed(char: string): boolean {
  const point = char.codePointAt(0) ?? 0
  return (
    point < 0x20 ||
    (point >= 0x7f && point <= 0x9f) ||
    point === 0x61c ||
    (point >= 0x200e && point <= 0x200f) ||
    (point >= 0x2028 && point <= 0x202e) ||
    (point >= 0x2066 && point <= 0x2069)
  )
}

const cwd = temporaryDirectory(after)
/** What the broker answers with: hostile content in the right shape, or a hostile error. */
let mode: 'content' | 'error' = 'content'

const LISTED = { name: HOSTILE, createdAt: HOSTILE, updatedAt: HOSTILE }
const DOCUMENT = { ...LISTED, document: { [HOSTILE]: HOSTILE, secrets: HOSTILE, expression: HOSTILE } }
const REFUSAL = { code: HOSTILE, message: HOSTILE, expected: HOSTILE, got: HOSTILE, hint: HOSTILE }
const VIOLATIONS = [{ path: HOSTILE, expected: HOSTILE, got: HOSTILE, hint: HOSTILE }]
const EXPLANATION = {
  verdict: 'refused',
  steps: [{ name: HOSTILE, looked: HOSTILE }],
  claims: { kind: HOSTILE, measurement: HOSTILE, tcbStatus: { [HOSTILE]: HOSTILE } },
  result: { policyId: HOSTILE, violations: VIOLATIONS },
  refusal: REFUSAL,
}
const ENTRY = { type: HOSTILE, actor: { name: HOSTILE }, secret: HOSTILE }
const KEY = { purpose: HOSTILE, id: HOSTILE, state: 'next', activeFrom: HOSTILE, retiresAt: HOSTILE }

/** The answer to each path, by its beginning; the first that fits. */
const ANSWERS: readonly (readonly [string, object])[] = [
  ['POST /v1/keys/rotate', { key: KEY, ledgerIndex: 1 }],
  ['GET /v1/keys', { items: [KEY] }],
  ['POST /v1/policies/', EXPLANATION],
  [
    'POST /v1/rules/',
    { items: [{ attestationId: HOSTILE, at: HOSTILE, kind: HOSTILE, outcome: 'true', message: HOSTILE }] },
  ],
  ['POST /v1/tokens', { ...LISTED, token: HOSTILE, id: HOSTILE, role: HOSTILE, expiresAt: HOSTILE }],
  ['GET /v1/tokens', { items: [{ ...LISTED, id: HOSTILE, role: HOSTILE, expiresAt: HOSTILE }] }],
  ['GET /v1/attestations?', { items: [] }],
  ['GET /v1/attestations/', { id: HOSTILE, at: HOSTILE, ledgerIndex: HOSTILE, explanation: EXPLANATION }],
  [
    'GET /v1/attestations',
    { items: [{ id: HOSTILE, at: HOSTILE, kind: HOSTILE, verdict: HOSTILE, code: HOSTILE }] },
  ],
  ['PUT /v1/secrets/', { path: HOSTILE, version: HOSTILE, ledgerIndex: HOSTILE }],
  ['GET /v1/secrets', { items: [{ path: HOSTILE, version: HOSTILE, updatedAt: HOSTILE }] }],
  ['PUT /v1/', { ledgerIndex: HOSTILE }],
  ['DELETE /v1/', { ledgerIndex: HOSTILE }],
  ['GET /v1/ledger/entries?', { items: [{ index: HOSTILE, timestamp: HOSTILE, entry: ENTRY }] }],
  ['GET /v1/ledger/', { format: HOSTILE, [HOSTILE]: HOSTILE, entry: ENTRY }],
  ['GET /v1/info', { issuer: HOSTILE, ledgerKey: HOSTILE }],
  ['GET /v1/policies/', DOCUMENT],
  ['GET /v1/references/', DOCUMENT],
  ['GET /v1/rules/', DOCUMENT],
  ['GET /v1/', { items: [DOCUMENT] }],
]

function answerTo({ method, url = '' }: IncomingMessage): { status: number; body: string } {
  if (mode === 'error' || url.startsWith('/kbs/')) {
    return { status: 403, body: JSON.stringify({ error: { ...REFUSAL, violations: VIOLATIONS } }) }
  }
  if (url === '/log/checkpoint') return { status: 200, body: `o\n7\n${HOSTILE}` }
  const found = ANSWERS.find(([start]) => `${method} ${url}`.startsWith(start))
  return { status: found === undefined ? 404 : 200, body: JSON.stringify(found?.[1] ?? {}) }
}

const server = createServer((request, response) => {
  request.resume()
  const { status, body } = answerTo(request)
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
})
after(() => {
  server.closeAllConnections()
  server.close()
})

/** Command lines that ask the broker. */
const ASKING: readonly (readonly string[])[] = [
  ['attest', '--simulator', 'simulator'],
  ['attestation', 'list'],
  ['attestation', 'show', 'x'],
  ['secret', 'put', 'a/b/c', 'file'],
  ['secret', 'get', 'a/b/c', '--simulator', 'simulator'],
  ['secret', 'list'],
  ['secret', 'delete', 'a/b/c'],
  ['policy', 'get', 'x'],
  ['policy', 'set', HOSTILE, 'document.yaml'],
  ['policy', 'list'],
  ['policy', 'delete', HOSTILE],
  ['policy', 'test', 'x', 'file'],
  ['reference', 'get', 'x'],
  ['reference', 'list'],
  ['rule', 'get', 'x'],
  ['rule', 'list'],
  ['rule', 'dry-run', 'x'],
  ['log', 'show'],
  ['log', 'show', '1'],
  ['log', 'receipt', '1'],
  ['log', 'checkpoint'],
  ['log', 'key'],
  ['token', 'create', HOSTILE, '--role', 'admin'],
  ['token', 'list'],
  ['token', 'revoke', HOSTILE],
  ['key', 'list'],
  ['key', 'rotate', 'kek'],
]

/** Command lines that read what somebody handed over, or are typed with what was copied from somewhere. */
const READING: readonly (readonly string[])[] = [
  [HOSTILE],
  ['completion', HOSTILE],
  ['secret', HOSTILE],
  ['verify', `${HOSTILE}.json`, 'member.json', 'noise'],
  ['verify', HOSTILE],
  ['verify', 'sample.json', '--policy', HOSTILE],
  ['verify', 'sample.json', '--policy', 'bad.yaml'],
  ['log', 'verify', 'receipt.json', '--key', 'log.key'],
  ['log', 'verify', 'changed.json', '--key', 'log.key'],
  ['log', 'check', '--since', HOSTILE, '--key', 'log.key'],
  ['log', 'check', '--since', 'noise', '--key', 'log.key'],
  ['attest', '--simulator', HOSTILE],
  ['attest', '--kind', HOSTILE],
  ['config', 'show', '--issuer', HOSTILE],
  ['config', 'show', '--config', HOSTILE],
  ['config', 'show', '--config', 'bad.yaml'],
  ['up', '--listen', HOSTILE],
  ['up', '--config', 'bad.yaml'],
  ['demo', HOSTILE],
  ['platform', '--root', HOSTILE],
  ['enclave', 'inspect', 'noise'],
  ['enclave', 'build', `${HOSTILE}.ts`],
  ['enclave', 'call', HOSTILE, HOSTILE, '--input', HOSTILE, '--measurement', HOSTILE],
  ['seal', '--inspect', 'noise'],
  ['seal', '--inspect', 'labelled.sealed'],
  ['unseal', HOSTILE, HOSTILE, '--key-file', HOSTILE],
  ['reseal', HOSTILE, '--from', HOSTILE, '--to', HOSTILE],
  ['run', '--secret', HOSTILE, '--on-lease-end', HOSTILE],
  ['agent', '--port', HOSTILE],
  ['bench', 'layers', '--size', HOSTILE],
]

before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  await openSimulator(join(cwd, 'simulator'), new Date())
  const file = (name: string, content: string): void => writeFileSync(join(cwd, name), content)
  const sample = { svn: HOSTILE, report_data: Buffer.alloc(64).toString('base64') }
  file('file', 'x')
  file('document.yaml', 'a: 1\n')
  file('bad.yaml', JSON.stringify({ extends: 'strict', [HOSTILE]: HOSTILE, name: HOSTILE, version: HOSTILE }))
  file('noise', HOSTILE)
  writeFileSync(join(cwd, 'labelled.sealed'), sealedWithLabel(HOSTILE))
  file('sample.json', JSON.stringify(sample))
  file(`${HOSTILE.replaceAll('/', '')}.json`, JSON.stringify(sample))
  file('member.json', JSON.stringify({ ...sample, [HOSTILE]: HOSTILE }))
  mkdirSync(join(cwd, 'log'))
  const db = openDatabase(join(cwd, 'log', 'ledger.db'))
  const ledger = await openLedger({
    database: new SqliteLedger(db),
    origin: 'hostile.example/log',
    signingKey: generateKeyPairSync('ed25519').privateKey,
    now: () => new Date(),
  })
  await ledger.append({ type: HOSTILE, actor: { name: HOSTILE }, secret: HOSTILE })
  const receipt = await ledger.receipt(0)
  file('receipt.json', JSON.stringify(receipt))
  file('changed.json', JSON.stringify({ ...receipt, [HOSTILE]: HOSTILE }))
  file('log.key', ledger.verifierKey)
  await ledger.close()
  db.close()
})

/** Readable by everybody, written by whoever sealed it. */
function sealedWithLabel(label: string): Uint8Array {
  const zero = new Uint8Array(32)
  return seal(zero, {
    root: openBrokerRoot({ path: 'test', key: new Uint8Array(32).fill(1) }),
    identity: { mrEnclave: zero, mrSigner: zero, isvProdId: 0, isvSvn: 0, debug: false },
    policy: 'mrEnclave',
    additionalData: new TextEncoder().encode(label),
  })
}

function typed(args: readonly string[], screen: boolean): Promise<Ran> {
  const { port } = server.address() as AddressInfo
  const env = { CASEMATE_SERVER: `http://127.0.0.1:${port}`, CASEMATE_TOKEN: 'cmt_test' }
  return casemate(args, { cwd, env, ...(screen ? { screen } : {}) })
}

function assertHarmless({ stdout, stderr }: Ran, what: string): void {
  for (const text of [stdout, stderr]) {
    const line = text
      .replaceAll(OUR_COLOURS, '')
      .split('\n')
      .find(one => Array.from(one).some(isObeyed))
    assert.equal(line, undefined, what)
    assert.ok(!text.includes('\u001b[32mFORGED'), `${what}: painted by somebody else`)
  }
}

async function assertShownSafely(args: readonly string[], says: boolean): Promise<void> {
  const what = args.map(arg => JSON.stringify(arg)).join(' ')
  const plain = await typed(args, false)
  assert.ok(!plain.stdout.includes('\u001b') && !plain.stderr.includes('\u001b'), what)
  assertHarmless(plain, what)
  if (says) assert.match(plain.stdout + plain.stderr, /\\u001b\]52/, what)
  assert.doesNotMatch(plain.stdout + plain.stderr, /^Verdict: TRUSTED/m, what)
  assertHarmless(await typed(args, true), what)
  const json = await typed([...args, '--json'], true)
  assertHarmless(json, `${what} --json`)
  assert.equal(typeof JSON.parse(json.stdout), 'object', what)
}

for (const args of ASKING) {
  test(`what a broker answers to ${args.slice(0, 2).join(' ').replace(HOSTILE, '…')} is shown and not obeyed`, async () => {
    mode = 'content'
    await assertShownSafely(args, false)
    mode = 'error'
    await assertShownSafely(args, true)
  })
}

for (const args of READING) {
  const name = args.map(arg => arg.replaceAll(HOSTILE, '…')).join(' ')
  test(`what casemate ${name} reads is shown and not obeyed`, async () => {
    mode = 'content'
    await assertShownSafely(args, false)
  })
}

test('every command family is among those', () => {
  const tried = new Set([...ASKING, ...READING].map(([first]) => first))
  assert.deepEqual(
    FIRST_WORDS.filter(word => !tried.has(word)),
    [],
  )
})

test('JSON means the same characters, and a policy with them is printed in a form that can be set again', async () => {
  mode = 'content'
  const { stdout } = await typed(['policy', 'list', '--json'], false)
  assert.deepEqual(JSON.parse(stdout), { items: [DOCUMENT], more: false })
  const policy = await typed(['policy', 'get', 'x'], false)
  assert.deepEqual(JSON.parse(policy.stdout), DOCUMENT.document)
})
