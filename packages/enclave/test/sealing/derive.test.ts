// Key derivation: known answers of the openssl command, and what a key depends on.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { deriveSealingKey, type KeyRequest } from '../../src/sealing/derive.ts'
import { openBrokerRoot } from '../../src/sealing/roots.ts'
import { throwsCode } from '../expect-code.ts'
import { IDENTITY, OTHER_CODE, OTHER_ROOT, OTHER_SIGNER, POLICIES, ROOT } from './fixtures.ts'

const REQUEST: KeyRequest = {
  policy: 'mrEnclave',
  isvSvn: 3,
  keyId: new Uint8Array(32).fill(9),
  cpuSvn: ROOT.cpuSvn,
}
const keyOf = (root = ROOT, identity = IDENTITY, request: Partial<KeyRequest> = {}): string =>
  deriveSealingKey(root, identity, { ...REQUEST, ...request })
    .export()
    .toString('hex')

const hasOpenssl = spawnSync('openssl', ['kdf', '-help']).status === 0

test('keys are HKDF-SHA256 as openssl computes it', { skip: !hasOpenssl && 'needs openssl 3' }, () => {
  const domain = Buffer.from('casemate-seal/1\n').toString('hex')
  const cases = [
    ['mrEnclave', '01', `${domain}0100030000000100${'05'.repeat(16)}${'ee'.repeat(32)}`],
    ['mrSigner', '02', `${domain}0200030007000100${'05'.repeat(16)}${'55'.repeat(32)}`],
  ] as const
  for (const [policy, secret, info] of cases) {
    const options = [
      'digest:SHA2-256',
      `hexkey:${secret.repeat(32)}`,
      `hexsalt:${'09'.repeat(32)}`,
      `hexinfo:${info}`,
    ]
    const flags = options.flatMap(option => ['-kdfopt', option])
    const answer = execFileSync('openssl', ['kdf', '-keylen', '32', ...flags, 'HKDF']).toString()
    assert.equal(keyOf(ROOT, IDENTITY, { policy }), answer.trim().replaceAll(':', '').toLowerCase())
  }
})

test('the bytes of a key are cleared once it is a key', t => {
  const { hkdfSync } = crypto
  const derived: ArrayBuffer[] = []
  t.mock.method(crypto, 'hkdfSync', (...args: Parameters<typeof hkdfSync>) => {
    const bytes = hkdfSync(...args)
    derived.push(bytes)
    return bytes
  })
  syncBuiltinESMExports()
  try {
    assert.match(keyOf(), /^(?!0{64})[0-9a-f]{64}$/)
    openBrokerRoot({ path: 'a/b/c', key: Buffer.alloc(32, 9) })
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  // The two ids of the root are public.
  const kept = derived.filter(bytes => !new Uint8Array(bytes).every(byte => byte === 0))
  assert.deepEqual([derived.length, kept.map(({ byteLength }) => byteLength)], [5, [16, 16]])
})

test('a key depends on root, policy, key id, security versions and debug flag', () => {
  for (const policy of POLICIES) {
    const all = [
      keyOf(ROOT, IDENTITY, { policy }),
      keyOf(OTHER_ROOT, IDENTITY, { policy }),
      keyOf(ROOT, { ...IDENTITY, debug: true }, { policy }),
      keyOf(ROOT, IDENTITY, { policy, keyId: new Uint8Array(32) }),
      keyOf(ROOT, IDENTITY, { policy, isvSvn: 2 }),
      keyOf(ROOT, IDENTITY, { policy, cpuSvn: null }),
      keyOf(ROOT, IDENTITY, { policy, cpuSvn: new Uint8Array(16) }),
    ]
    assert.equal(new Set(all).size, all.length)
  }
})

test('mrEnclave binds the code alone, mrSigner the signer and the product', () => {
  const enclave = keyOf()
  assert.notEqual(keyOf(ROOT, OTHER_CODE), enclave)
  assert.equal(keyOf(ROOT, OTHER_SIGNER), enclave)
  const signer = keyOf(ROOT, IDENTITY, { policy: 'mrSigner' })
  assert.equal(keyOf(ROOT, OTHER_CODE, { policy: 'mrSigner' }), signer)
  assert.notEqual(keyOf(ROOT, OTHER_SIGNER, { policy: 'mrSigner' }), signer)
  assert.notEqual(keyOf(ROOT, { ...IDENTITY, isvProdId: 8 }, { policy: 'mrSigner' }), signer)
})

test('a newer version gets the keys of the older, an older one not those of the newer', () => {
  for (const policy of POLICIES) {
    const old = keyOf(ROOT, { ...IDENTITY, isvSvn: 3 }, { policy, isvSvn: 3 })
    assert.equal(keyOf(ROOT, { ...IDENTITY, isvSvn: 9 }, { policy, isvSvn: 3 }), old)
    throwsCode('seal-svn-too-new', () => keyOf(ROOT, { ...IDENTITY, isvSvn: 2 }, { policy, isvSvn: 3 }))
  }
})

test('keys of a lower platform version are had, of one that is higher in any component not', () => {
  const higher = new Uint8Array(16)
  higher[15] = 6
  throwsCode('seal-cpu-svn-too-new', () => keyOf(ROOT, IDENTITY, { cpuSvn: higher }))
  throwsCode('seal-cpu-svn-too-new', () => keyOf({ ...ROOT, cpuSvn: null }, IDENTITY))
  higher[15] = 5
  assert.ok(keyOf(ROOT, IDENTITY, { cpuSvn: higher }))
})
