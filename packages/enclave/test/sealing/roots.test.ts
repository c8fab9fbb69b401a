// Sealing roots: files that are keys, for their owner alone.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { seal, unseal } from '../../src/sealing/blob.ts'
import { makeRoot } from '../../src/sealing/root.ts'
import { openBrokerRoot, openGramineRoot, openSimulatedRoot } from '../../src/sealing/roots.ts'
import { throwsCode } from '../expect-code.ts'
import { IDENTITY, POLICIES } from './fixtures.ts'

const hasOpenssl = spawnSync('openssl', ['kdf', '-help']).status === 0
const hexOf = (text: string): string => Buffer.from(text).toString('hex')

/** Without salt. */
function hkdf(key: string, info: string, size: number): string {
  const options = ['digest:SHA2-256', `hexkey:${key}`, `hexinfo:${info}`].flatMap(option => [
    '-kdfopt',
    option,
  ])
  const answer = execFileSync('openssl', ['kdf', '-keylen', String(size), ...options, 'HKDF']).toString()
  return answer.trim().replaceAll(':', '').toLowerCase()
}

const DATA = new TextEncoder().encode('data')
const OPTIONS = { identity: IDENTITY, policy: 'mrEnclave', additionalData: new Uint8Array() } as const

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'enclave-root-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('a simulated root is made once, for its owner alone, and found again', t => {
  const path = join(folder(t), 'root')
  const blob = seal(DATA, { ...OPTIONS, root: openSimulatedRoot({ path }) })
  assert.equal(statSync(path).size, 32)
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(path, '..')), ['root'])
  assert.deepEqual(unseal(blob, { root: openSimulatedRoot({ path }), identity: IDENTITY }).plaintext, DATA)
})

test('two installations do not open each other’s blobs', t => {
  const [a, b] = ['a', 'b'].map(name => openSimulatedRoot({ path: join(folder(t), name) }))
  const blob = seal(DATA, { ...OPTIONS, root: a! })
  throwsCode('seal-root-mismatch', () => unseal(blob, { root: b!, identity: IDENTITY }))
})

test('a simulated root that others can read is refused', { skip: process.platform === 'win32' }, t => {
  const path = join(folder(t), 'root')
  openSimulatedRoot({ path })
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode)
    throwsCode('root-unsafe', () => openSimulatedRoot({ path }))
  }
})

test('a file that holds no key is refused, and not replaced', t => {
  const path = join(folder(t), 'root')
  for (const content of [Buffer.alloc(0), Buffer.alloc(31, 1), Buffer.alloc(33, 1), Buffer.alloc(32)]) {
    writeFileSync(path, content, { mode: 0o600 })
    throwsCode('root-invalid', () => openSimulatedRoot({ path }))
    assert.deepEqual(readFileSync(path), content)
  }
})

test('a root that cannot be made is told by its code, and leaves nothing of it', t => {
  const directory = folder(t)
  throwsCode('file-unwritable', () => openSimulatedRoot({ path: join(directory, 'none', 'root') }))
  t.mock.method(fs, 'linkSync', () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  })
  syncBuiltinESMExports()
  try {
    throwsCode('disk-full', () => openSimulatedRoot({ path: join(directory, 'root') }))
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  assert.deepEqual(readdirSync(directory), [])
})

test('where another process was first, its root stands', t => {
  const path = join(folder(t), 'root')
  const { linkSync } = fs
  const other = Buffer.alloc(32, 7)
  t.mock.method(fs, 'linkSync', (...args: Parameters<typeof linkSync>) => {
    writeFileSync(path, other, { mode: 0o600 })
    linkSync(...args)
  })
  syncBuiltinESMExports()
  try {
    openSimulatedRoot({ path })
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  assert.deepEqual(readFileSync(path), other)
  assert.deepEqual(readdirSync(join(path, '..')), ['root'])
})

test('a root is on disk before it has its name, its name before it is used, and its bytes are cleared', t => {
  const path = join(folder(t), 'root')
  const order: string[] = []
  const { fsyncSync, readFileSync: readWhole } = fs
  t.mock.method(fs, 'fsyncSync', (file: number) => {
    order.push(fs.fstatSync(file).isDirectory() ? 'directory' : 'file', String(existsSync(path)))
    fsyncSync(file)
  })
  const read: Buffer[] = []
  t.mock.method(fs, 'readFileSync', (...args: Parameters<typeof readWhole>) => {
    const bytes = readWhole(...args) as Buffer
    read.push(bytes)
    return bytes
  })
  syncBuiltinESMExports()
  const secret = new Uint8Array(32).fill(7)
  try {
    openSimulatedRoot({ path, random: () => secret })
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  assert.deepEqual(order, ['file', 'false', 'directory', 'true'])
  assert.deepEqual(
    [secret, ...read].map(bytes => bytes.every(byte => byte === 0)),
    [true, true],
  )
  assert.ok(readWhole(path).equals(Buffer.alloc(32, 7)))
})

test('a cpuSvn of another size is refused', t => {
  const path = join(folder(t), 'root')
  throwsCode('invalid-parameter', () => openSimulatedRoot({ path, cpuSvn: new Uint8Array(15) }))
  assert.equal(openSimulatedRoot({ path, cpuSvn: new Uint8Array(16) }).cpuSvn?.length, 16)
})

test('Gramine’s two keys are the roots of the two policies', t => {
  const directory = folder(t)
  const files = { _sgx_mrenclave: Buffer.alloc(16, 1), _sgx_mrsigner: Buffer.alloc(16, 2) }
  for (const [name, key] of Object.entries(files)) writeFileSync(join(directory, name), key)
  const root = openGramineRoot({ directory })
  assert.equal(root.cpuSvn, null)
  assert.deepEqual(root.secrets.mrEnclave.export(), files._sgx_mrenclave)
  assert.deepEqual(root.secrets.mrSigner.export(), files._sgx_mrsigner)
  assert.deepEqual(unseal(seal(DATA, { ...OPTIONS, root }), { root, identity: IDENTITY }).plaintext, DATA)
})

test('Gramine’s keys are refused where one is missing, zero or of another size', t => {
  for (const [index, key] of [null, Buffer.alloc(16), Buffer.alloc(32, 1)].entries()) {
    const directory = join(folder(t), String(index))
    mkdirSync(directory)
    writeFileSync(join(directory, '_sgx_mrenclave'), Buffer.alloc(16, 1))
    if (key !== null) writeFileSync(join(directory, '_sgx_mrsigner'), key)
    throwsCode('root-invalid', () => openGramineRoot({ directory }))
  }
})

const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex')

test('a data key is a root of its own, the same wherever the key is', () => {
  const [here, there] = [openBrokerRoot({ path: 'a/b/c', key: KEY }), openBrokerRoot({ path: 'k', key: KEY })]
  assert.deepEqual([here.kind, here.cpuSvn], ['broker', null])
  for (const policy of POLICIES) {
    const blob = seal(DATA, { ...OPTIONS, policy, root: here })
    assert.deepEqual(unseal(blob, { root: there, identity: IDENTITY }).plaintext, DATA)
  }
})

test('a data key and its root’s secrets, ids and kind are apart', () => {
  const root = openBrokerRoot({ path: 'a/b/c', key: KEY })
  const simulated = makeRoot({ ...root, kind: 'simulated' })
  const secrets = POLICIES.map(policy => root.secrets[policy].export().toString('hex'))
  const ids = [root, simulated].flatMap(({ ids }) =>
    POLICIES.map(policy => Buffer.from(ids[policy]).toString('hex')),
  )
  assert.equal(new Set([...secrets, KEY.toString('hex')]).size, 3)
  assert.equal(new Set([...ids, ...secrets.map(secret => secret.slice(0, 32))]).size, 6)
})

test('a root’s secrets and ids are HKDF-SHA256 as openssl computes it', {
  skip: !hasOpenssl && 'needs openssl 3',
}, () => {
  const root = openBrokerRoot({ path: 'a/b/c', key: KEY })
  for (const [bits, policy] of [
    ['01', 'mrEnclave'],
    ['02', 'mrSigner'],
  ] as const) {
    const secret = hkdf(KEY.toString('hex'), `${hexOf('casemate-broker-root/1\n')}${bits}`, 32)
    assert.equal(root.secrets[policy].export().toString('hex'), secret)
    const id = hkdf(secret, `${hexOf('casemate-root-id/1\n')}03${bits}`, 16)
    assert.equal(Buffer.from(root.ids[policy]).toString('hex'), id)
  }
})

test('a data key of another size, or of nothing but zero, is refused', () => {
  for (const key of [Buffer.alloc(0), Buffer.alloc(31, 1), Buffer.alloc(33, 1), Buffer.alloc(32)])
    throwsCode('root-invalid', () => openBrokerRoot({ path: 'a/b/c', key }))
})

test('blobs under a data key do not open under another, nor under a machine’s root with the same bytes', t => {
  const blob = seal(DATA, { ...OPTIONS, root: openBrokerRoot({ path: 'a/b/c', key: KEY }) })
  const other = openBrokerRoot({ path: 'a/b/c', key: KEY.toReversed() })
  throwsCode('seal-root-mismatch', () => unseal(blob, { root: other, identity: IDENTITY }))
  const path = join(folder(t), 'root')
  writeFileSync(path, KEY, { mode: 0o600 })
  const root = openSimulatedRoot({ path })
  throwsCode('seal-root-mismatch', () => unseal(blob, { root, identity: IDENTITY }))
})

test('a root that is printed shows no key', t => {
  const path = join(folder(t), 'root')
  const shown = inspect(openSimulatedRoot({ path }), { depth: 9, showHidden: true })
  const secret = readFileSync(path)
  assert.ok(!shown.includes(secret.toString('hex')) && !shown.includes(secret.toString('base64')))
})
