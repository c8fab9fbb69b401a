// Where a command attests: shown, chosen, and explained where the choice cannot be had.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Explanation } from '@casemate/client'
import { createIntelPlatform } from '@casemate/simulator'
import { hardwareDriver } from '../../src/attesting/hardware.ts'
import type { Call } from '../../src/command.ts'
import { explanationLines } from '../../src/verify/explanation.ts'
import { casemate } from '../run.ts'

function machine(t: TestContext, attestationType: string | null): string {
  const root = mkdtempSync(join(tmpdir(), 'casemate-platform-'))
  t.after(() => rmSync(root, { recursive: true }))
  if (attestationType === null) return root
  mkdirSync(join(root, 'dev/attestation'), { recursive: true })
  writeFileSync(join(root, 'dev/attestation/attestation_type'), attestationType)
  writeFileSync(join(root, 'dev/attestation/user_report_data'), '')
  return root
}

test('a machine without hardware is told so, driver by driver, and the answer is no', async t => {
  const ran = await casemate(['platform', '--root', machine(t, null)])
  assert.equal(ran.code, 1)
  assert.match(ran.stdout, /✗ SGX under Gramine/)
  assert.match(ran.stdout, /✗ Intel TDX/)
  assert.match(ran.stdout, /✗ AMD SEV-SNP/)
  assert.match(ran.stdout, /simulated/)
  for (const line of ran.stdout.split('\n')) assert.ok(line.length <= 80, line)
})

test('a machine that attests is shown with its driver, also as JSON', async t => {
  const root = machine(t, 'dcap')
  const ran = await casemate(['platform', '--root', root])
  assert.equal(ran.code, 0)
  assert.match(ran.stdout, /✓ SGX under Gramine/)
  const { driver, looked } = JSON.parse((await casemate(['platform', '--root', root, '--json'])).stdout)
  assert.equal(driver, 'gramine')
  assert.equal(looked.length, 3)
})

test('what is missing under Gramine is said with its cure', async t => {
  const ran = await casemate(['platform', '--root', machine(t, 'none')])
  assert.match(ran.stdout, /attestation_type\s+is none/)
  assert.match(ran.stdout, /sgx\.remote_attestation = "dcap"/)
})

function call(options: Readonly<Record<string, string>>): Call {
  const option = (name: string): string | null => options[name] ?? null
  return { option, given: (name: string) => name in options } as unknown as Call
}

test('hardware is taken where there is any, unless something simulated is asked for', async t => {
  const root = machine(t, 'dcap')
  const quote = (await createIntelPlatform()).sgxQuote({ reportData: new Uint8Array(64) })
  writeFileSync(join(root, 'dev/attestation/quote'), quote)
  for (const options of [{}, { platform: 'auto' }, { platform: 'hardware' }]) {
    const driver = await hardwareDriver(call(options), root)
    assert.equal(driver?.simulated, false)
    assert.equal((await driver?.quote(new Uint8Array(64)))?.kind, 'sgx')
  }
  for (const options of [{ platform: 'simulated' }, { kind: 'tdx' }, { code: 'x' }, { simulator: 'dir' }]) {
    assert.equal(await hardwareDriver(call(options), root), null)
  }
  assert.equal(await hardwareDriver(call({}), machine(t, null)), null)
})

test('hardware that is asked for by name is never replaced by a simulation', async t => {
  await assert.rejects(hardwareDriver(call({ platform: 'hardware' }), machine(t, null)), {
    code: 'attestation-unavailable',
  })
  await assert.rejects(hardwareDriver(call({ platform: 'hardware', kind: 'tdx' }), '/'), {
    code: 'flag-value-invalid',
  })
  await assert.rejects(hardwareDriver(call({ platform: 'cloud' }), '/'), { code: 'flag-value-invalid' })
})

test('an explanation shows both layers, and who vouches for the second', () => {
  const enclave = {
    mrEnclave: 'ee'.repeat(32),
    mrSigner: '55'.repeat(32),
    isvProdId: 7,
    isvSvn: 3,
    debug: false,
    measuredBy: 'host',
    register: 'extended',
  }
  const claims = {
    kind: 'tdx',
    measurement: 'aa',
    tcbStatus: 'UpToDate',
    debug: false,
    simulated: true,
    enclave,
  }
  const explanation: Explanation = {
    verdict: 'accepted',
    code: null,
    steps: [],
    claims,
    result: null,
    refusal: null,
    validUntil: null,
  }
  const same = (text: string): string => text
  const palette = { green: same, red: same, yellow: same, dim: same, bold: same }
  const text = explanationLines(explanation, { palette, columns: 80 } as never).join('\n')
  assert.match(text, /enclave\n {2}measurement {2}ee{63}/)
  assert.match(text, /product {6}7, security version 3/)
  assert.match(text, /measured by {2}the platform above, which vouches for it/)
  assert.match(text, /RTMR3 {8}extended/)
  const without = { ...explanation, claims: { ...claims, enclave: null } }
  assert.doesNotMatch(explanationLines(without, { palette, columns: 80 } as never).join('\n'), /enclave/)
})
