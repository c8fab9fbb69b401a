// The KBS wire against a guest that we did not write the types of: see interop/kbs-client. The guest reads statuses,
// error bodies, cookies and JWEs as the guests of Confidential Containers do, so what passes here is what they can use.
// One file, since all of it shares that guest, which cargo builds, and one broker.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Operated, openBroker } from './brokers.ts'
import { buildClient, type Run, runClient, whyNoCargo } from './client.ts'
import { type Hardware, openHardware } from './hardware.ts'
import { assertRefused, assertReleased, steps } from './kbs-exchanges.ts'
import { noticingTests } from './kbs-noticing.ts'
import { INIT_DATA, MACHINES, PATH, POLICY, PRINTED, REFERENCES, SECRET } from './kbs-workloads.ts'
import { openProxy } from './proxy.ts'

const whyNot = whyNoCargo()
if (whyNot === null) buildClient()

suite('a KBS guest of published crates', { skip: whyNot ?? false, concurrency: 2 }, () => {
  let hardware: Hardware
  let broker: Operated
  let files: string

  before(async () => {
    files = mkdtempSync(join(tmpdir(), 'casemate-interop-files-'))
    hardware = await openHardware(MACHINES)
    broker = await openBroker(hardware, { 'rsa-15': 'true' })
    await broker.put('policies/default', POLICY)
    await broker.put('references/workloads', REFERENCES)
    await broker.put('rules/keys', {
      secrets: 'default/key/*',
      expression: 'result.status != "contraindicated" && claims.simulated',
      message: 'an accepted guest',
      enabled: true,
    })
    await broker.put(`secrets/${PATH}`, SECRET)
    await broker.put('secrets/default/locked/disk', SECRET)
  })

  after(async () => {
    hardware.close()
    await broker.close()
    rmSync(files, { recursive: true })
  })

  const file = (name: string, text: string): string => {
    const path = join(files, name)
    writeFileSync(path, text)
    return path
  }
  const on = (machine: keyof typeof MACHINES, tee: string): readonly string[] => [
    '--hardware',
    hardware.url(machine),
    '--tee',
    tee,
  ]
  const client = (...args: readonly string[]): Promise<Run> => runClient('--url', broker.url, ...args)
  const fetch = (path: string, ...args: readonly string[]): Promise<Run> =>
    client('get-resource', '--path', path, ...args)

  for (const key of ['ec-p256', 'ec-p521', 'rsa-oaep', 'ml-kem']) {
    for (const tee of ['tdx', 'sgx', 'snp']) {
      test(`gets a secret on ${tee} with a key ${key}`, async () => {
        const run = await fetch(PATH, '--key', key, ...on('known', tee))
        assertReleased(run)
        assert.deepEqual(steps(run), ['resource 401', 'auth 200', 'attest 200', 'resource 200'])
      })
    }
  }

  for (const [protocol, key] of [
    ['0.2.0', 'ec-p256'],
    ['0.2.0', 'rsa-oaep'],
    ['0.1.1', 'rsa-oaep'],
  ] as const) {
    test(`gets a secret over protocol ${protocol} with a key ${key}`, async () => {
      for (const tee of ['tdx', 'sgx', 'snp']) {
        const run = await fetch(PATH, '--protocol', protocol, '--key', key, ...on('known', tee))
        assert.equal(run.code, 0, run.failure)
        assert.equal(run.stdout, PRINTED)
      }
    })
  }

  test('gets a secret with the largest event log that firmware is known to leave', async () => {
    assertReleased(await fetch(PATH, ...on('logged', 'tdx')))
  })

  test('gets a secret from a broker that a proxy serves under a path', async t => {
    const proxy = await openProxy(broker.url, '/brokers/one')
    t.after(() => proxy.close())
    assertReleased(await runClient('--url', proxy.url, 'get-resource', '--path', PATH, ...on('known', 'tdx')))
  })

  test('gets a secret as trustee-attester asks for it, which attests first and sends a path with a slash more', async () => {
    const run = await client('trustee-attester', 'get-resource', '--path', PATH, ...on('known', 'tdx'))
    assertReleased(run)
    assert.deepEqual(steps(run), ['auth 200', 'attest 200', 'resource 200'])
    assert.equal(run.exchanges.at(-1)?.path, `/kbs/v0/resource//${PATH}`)
  })

  test('prints the attestation result, read as the guest reads it', async () => {
    const run = await client('attest', ...on('known', 'tdx'))
    assert.equal(run.code, 0, run.failure)
    assert.match(run.stdout, /^[\w-]+\.[\w-]+\.[\w-]{86}$/)
  })

  for (const [name, pem] of [
    ['EC P-256', pkcs8('P-256')],
    ['EC P-521', pkcs8('P-521')],
    [
      'RSA',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }),
    ],
  ] as const) {
    test(`gets a secret with the attestation result alone, for a key ${name} that it keeps`, async () => {
      const key = ['--tee-key-file', file(`${name}.pem`, pem)]
      const attested = await client('attest', ...key, ...on('known', 'tdx'))
      assert.equal(attested.code, 0, attested.failure)
      const run = await fetch(PATH, ...key, '--attestation-token', file(`${name}.jwt`, attested.stdout))
      assertReleased(run)
      assert.deepEqual(steps(run), ['resource 200'])
    })
  }

  test('sends init-data that the report holds the digest of', async () => {
    const run = await fetch(PATH, '--initdata', file('init.toml', INIT_DATA), ...on('configured', 'tdx'))
    assertReleased(run)
  })

  test('is refused with init-data that the report holds no digest of', async () => {
    const run = await fetch(
      PATH,
      '--initdata',
      file('other.toml', `${INIT_DATA}\n`),
      ...on('configured', 'tdx'),
    )
    assertRefused(run, 'attest 401', 'AttestationError')
  })

  for (const tee of ['tdx', 'sgx', 'snp']) {
    test(`is refused on ${tee} with code that no reference value knows`, async () => {
      const run = await fetch(PATH, ...on('other', tee))
      assertRefused(run, 'attest 401', 'AttestationError')
      assert.deepEqual(steps(run), ['resource 401', 'auth 200', 'attest 401'])
    })
  }

  test('is refused with a quote that was changed', async () => {
    assertRefused(await fetch(PATH, ...on('forged', 'tdx')), 'attest 401', 'AttestationError')
  })

  test('is refused again each time that it starts from the beginning', async () => {
    const run = await client('attest', ...on('other', 'tdx'))
    assert.equal(run.code, 1)
    assert.equal(run.stdout, '')
    assert.deepEqual(steps(run), Array.from({ length: 5 }, () => ['auth 200', 'attest 401']).flat())
  })

  test('is refused a secret that no rule releases, and does not attest again', async () => {
    const run = await fetch('default/locked/disk', ...on('known', 'tdx'))
    assertRefused(run, 'resource 403', 'PolicyDeny')
    assert.deepEqual(steps(run), ['resource 401', 'auth 200', 'attest 200', 'resource 403'])
  })

  test('learns no more of a secret that is neither there nor released', async () => {
    assertRefused(await fetch('default/locked/nothing', ...on('known', 'tdx')), 'resource 403', 'PolicyDeny')
  })

  test('is told of a secret that is missing where a rule would release it', async () => {
    const run = await fetch('default/key/nothing', ...on('known', 'tdx'))
    assertRefused(run, 'resource 404', 'ResourceNotFound')
    assert.match(run.failure, /Not Found \(Error 404\)/)
  })

  test('is told of a path that is none', async () => {
    const run = await fetch('default/key', ...on('known', 'tdx'))
    assertRefused(run, 'resource 404', 'InvalidRequestPath')
  })

  test('is refused with a token that is not the broker’s', async () => {
    const claims = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 60 })).toString(
      'base64url',
    )
    const header = Buffer.from('{"alg":"none"}').toString('base64url')
    const token = file('foreign.jwt', `${header}.${claims}.${'A'.repeat(86)}`)
    assertRefused(await fetch(PATH, '--attestation-token', token), 'resource 401', 'TokenVerifierError')
  })

  test('is refused as sample, which a policy has to name', async () => {
    const run = await fetch(PATH)
    assertRefused(run, 'attest 401', 'AttestationError')
  })

  test('gets a secret as sample where the policy names it', async t => {
    const lenient = await openBroker(hardware)
    t.after(() => lenient.close())
    await lenient.put('policies/default', { ...POLICY, kinds: ['sample'] })
    await lenient.put('references/workloads', REFERENCES)
    await lenient.put('rules/all', {
      secrets: '*/*/*',
      expression: 'claims.kind == "sample"',
      message: 'sample',
      enabled: true,
    })
    await lenient.put(`secrets/${PATH}`, SECRET)
    assertReleased(await runClient('--url', lenient.url, 'get-resource', '--path', PATH))
    const initData = ['--initdata', file('sample.toml', INIT_DATA)]
    assertReleased(await runClient('--url', lenient.url, 'get-resource', '--path', PATH, ...initData))
    const run = await runClient('--url', lenient.url, 'get-resource', '--path', PATH, ...on('known', 'tdx'))
    assertRefused(run, 'attest 401', 'AttestationError')
  })

  test('writes, replaces and deletes a resource with an administrator’s token', async () => {
    const admin = ['config', '--admin-token-file', file('admin', `${broker.adminToken}\n`)]
    for (const text of ['first', 'second']) {
      const resource = file('resource', text)
      const set = await client(
        ...admin,
        'set-resource',
        '--path',
        'default/key/set',
        '--resource-file',
        resource,
      )
      assert.equal(set.code, 0, set.failure)
      assert.equal(set.stdout, `Set resource success \n resource: ${Buffer.from(text).toString('base64')}`)
      const run = await fetch('default/key/set', ...on('known', 'tdx'))
      assert.equal(Buffer.from(run.stdout, 'base64').toString(), text, run.failure)
    }
    const deleted = await client(...admin, 'delete-resource', '--path', 'default/key/set')
    assert.equal(deleted.code, 0, deleted.failure)
    assertRefused(await fetch('default/key/set', ...on('known', 'tdx')), 'resource 404', 'ResourceNotFound')
  })

  test('reads reference values back as it wrote them, with an administrator’s token', async () => {
    const admin = ['config', '--admin-token-file', file('admin', `${broker.adminToken}\n`)]
    const digest = 'ab'.repeat(48)
    for (const [name, value, flags, read] of [
      ['rtmr_1', digest, [], [digest]],
      ['rtmr_1', digest, ['--list', 'no'], digest],
      ['major_version', '1', ['--as', 'integer', '--list', 'no'], 1],
      ['minimum_minor_version', '4', ['--as', 'integer', '--list', 'no'], 4],
      ['launch_digest', 'abcde', [], ['abcde']],
    ] as const) {
      const set = ['set-sample-reference-value', '--name', name, '--value', value, ...flags]
      const run = await client(...admin, ...set)
      assert.equal(run.code, 0, run.failure)
      const got = await client(...admin, 'get-reference-value', '--id', name)
      assert.deepEqual(JSON.parse(got.stdout), read, got.failure)
    }
  })

  test('is told by name which reference value is not compared here', async () => {
    const admin = ['config', '--admin-token-file', file('admin', `${broker.adminToken}\n`)]
    for (const name of ['snp_bootloader', 'tdvfkernel', 'mine']) {
      const set = ['set-sample-reference-value', '--name', name, '--value', '3', '--as', 'integer']
      const run = await client(...admin, ...set)
      assertRefused(run, 'reference-value 400', 'RvpsError')
      assert.match(run.failure, new RegExp(name))
    }
  })

  test('writes nothing without an administrator’s token', async () => {
    const resource = file('denied', 'denied')
    const set = ['set-resource', '--path', 'default/key/denied', '--resource-file', resource]
    assertRefused(await client('config', ...set), 'resource 401', 'AdminAuthAccess')
    const wrong = file('wrong', `${broker.adminToken.slice(0, -4)}AAAA`)
    const run = await client('config', '--admin-token-file', wrong, ...set)
    assertRefused(run, 'resource 401', 'AdminAuthAccess')
  })

  suite('notices', noticingTests)
})

function pkcs8(namedCurve: string): string {
  return generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' })
}
