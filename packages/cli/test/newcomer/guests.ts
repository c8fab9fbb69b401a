// What guests get: attestation, believed or refused, and secrets, as the rules say.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { beside, cwd, jsonOf } from './broker.ts'

export function guestTests(): void {
  test('an enabled rule releases a secret octet for octet, and without one nothing is', async () => {
    const content = '\u0000binary\n\u00ff'
    writeFileSync(join(cwd, 'secret.bin'), content)
    assert.equal((await beside('secret put default/db/password secret.bin')).code, 0)
    const denied = await beside('secret get default/db/password')
    assert.equal(denied.code, 1)
    assert.match(
      denied.stderr,
      /^casemate: release-denied: .* \(attestation ([0-9a-f-]{36})\)\nhint: .*casemate log show --attestation \1\n/,
    )
    const id = /\(attestation ([0-9a-f-]{36})\)/.exec(denied.stderr)?.[1] ?? ''
    const why = await beside(['log', 'show', '--attestation', id])
    assert.match(
      why.stdout,
      /release\.denied +…[0-9a-f]{8} +default\/db\/password: no enabled rule is for it/,
    )
    assert.equal(why.stdout.trimEnd().split('\n').length, 3, why.stdout)
    const short = await beside(['log', 'show', '--attestation', `…${id.slice(-8)}`])
    assert.equal(short.stdout, why.stdout)
    const index = /^(\d+) .*release\.denied/m.exec(why.stdout)?.[1] ?? ''
    assert.match(
      (await beside(['log', 'show', index])).stdout,
      /in words: default\/db\/password: no enabled rule/,
    )
    const rule = ['rule', 'set', 'db', '--secrets', 'default/db/*', '--expression', 'claims.kind == "tdx"']
    assert.equal((await beside(rule)).code, 0)
    const tried = await beside('rule dry-run db')
    assert.match(tried.stdout, /\btdx +allows\n/)
    assert.equal(tried.code, 0)
    // Of a TDX guest, nothing of SGX can be read: a rule that does not ask for the kind first errs.
    const flags = ['--secrets', 'default/db/*', '--expression', 'claims.sgx.isvSvn >= 1']
    const errs = await beside(['rule', 'dry-run', 'db', ...flags])
    assert.match(errs.stdout, /denies \(error\)/)
    assert.equal(errs.code, 1)
    const misspelt = await beside([
      'rule',
      'set',
      'db',
      '--secrets',
      '*/*/*',
      '--expression',
      'claims.tdx.rtmr9 == ""',
    ])
    assert.match(
      misspelt.stderr,
      /^casemate: rule-invalid: .*claims\.tdx\.rtmr9[^]*hint: did you mean: claims\.tdx\.rtmr0/,
    )
    const got = await beside('secret get default/db/password')
    assert.deepEqual(got.bytes, Buffer.from(content))
    assert.equal((await beside('secret get default/db/missing')).code, 1)
  })

  test('a secret comes from stdin as well, and --new refuses to replace one', async () => {
    assert.match(
      (await beside('secret put default/db/other', 'x')).stdout,
      /as version 1 \(ledger entry \d+\)\n$/,
    )
    assert.match((await beside('secret put default/db/other', 'y')).stdout, /as version 2 /)
    const refused = await beside('secret put default/db/other --new', 'z')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^casemate: precondition-failed: /)
    assert.equal((await beside('secret put default/db/other', '')).code, 2)
    assert.equal((await beside('secret delete default/db/other --version 1')).code, 0)
    assert.match(
      (await beside('secret list')).stdout,
      /^SECRET +VERSION +UPDATED\n[^]*default\/db\/other +2 /,
    )
    assert.equal((await beside('secret delete default/db/other')).code, 0)
    assert.doesNotMatch((await beside('secret list')).stdout, /default\/db\/other/)
  })

  test('attest tells who was believed, and other code or another TEE is refused with a way to learn why', async () => {
    for (const keyType of ['P-256', 'P-521', 'RSA-2048']) {
      const { code, stdout } = await beside(`attest --key-type ${keyType}`)
      assert.equal(code, 0)
      assert.match(stdout, /^attested as +tdx, simulated\nstatus +warning\n/)
    }
    const refused = await beside('attest --code other')
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /^casemate: appraisal-refused: [^]*\(attestation ([0-9a-f-]{36})\)[^]*hint: .*casemate attestation show \1,/,
    )
    for (const kind of ['sgx', 'snp', 'sample']) assert.equal((await beside(`attest --kind ${kind}`)).code, 1)
    const { items } = (await jsonOf('attestation list --verdict refused')) as {
      items: { id: string; kind: string }[]
    }
    const tdx = items.find(item => item.kind === 'tdx')
    assert.ok(refused.stderr.includes(`(attestation ${tdx?.id})`), refused.stderr)
    const shown = await beside(['attestation', 'show', `…${tdx?.id.slice(-8)}`])
    assert.match(shown.stdout, /claims\.tdx\.rtmr3 +"[0-9a-f]{96}"\n/)
    assert.match(shown.stdout, /result\.trustVector\["instance-identity"\] +-?\d/)
    assert.match(shown.stdout, /where it differs from demo[^]*\n {2}\w+\n {6}expected {2}[^]*\n {6}got {7}/)
    const none = await beside('attestation show 00000000')
    assert.match(
      none.stderr,
      /^casemate: argument-unexpected: no attestation has an id that ends with 00000000/,
    )
    const sgx = await beside('attestation list --kind sgx --client 127.0.0.1')
    assert.match(sgx.stdout, / sgx +refused .* 127\.0\.0\.1 +/)
    assert.doesNotMatch(sgx.stdout, / tdx /)
    assert.match((await beside('attestation list --client 192.0.2.1')).stdout, /nothing is so/)
    assert.match(
      shown.stdout,
      /✗ workloads\n {6}expected .*\n {6}got .*\n[^]*Verdict: refused by the policy default\n/,
    )
  })
}
