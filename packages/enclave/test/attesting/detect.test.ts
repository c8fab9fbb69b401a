// Where we run, and why it is not elsewhere: each machine as its files show it.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import { type Detection, detectPlatform, openDriver } from '../../src/attesting/detect.ts'
import { type PlatformFiles, SYSTEM_FILES } from '../../src/attesting/platform-files.ts'
import { EnclaveError } from '../../src/errors.ts'
import { errno, TsmKernel } from './kernel.ts'

const TSM = 'sys/kernel/config/tsm/report'

function machine(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
  directories: string[] = [],
): string {
  const root = mkdtempSync(join(tmpdir(), 'casemate-machine-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  for (const path of directories) mkdirSync(join(root, path), { recursive: true })
  return root
}

/** The machine's files, with the kernel's behind the directory of reports. */
function withKernel(root: string, kernel: TsmKernel): PlatformFiles {
  const isKernels = (path: string): boolean => path.startsWith(`${join(root, TSM)}/`)
  const of = (path: string): PlatformFiles => (isKernels(path) ? kernel : SYSTEM_FILES)
  return {
    read: (path, max) => of(path).read(path, max),
    write: (path, bytes) => of(path).write(path, bytes),
    makeDirectory: path => of(path).makeDirectory(path),
    removeDirectory: path => of(path).removeDirectory(path),
    isThere: path => of(path).isThere(path),
  }
}

function about(detection: Detection, driver: string) {
  const found = detection.looked.find(one => one.driver === driver)
  assert.ok(found)
  return found
}

test('a laptop has nothing, and hears so of each driver', async t => {
  const detection = await detectPlatform({
    root: machine(t, { 'proc/sys/kernel/osrelease': '6.17.0-5-generic\n' }),
  })
  assert.equal(detection.driver, null)
  assert.deepEqual(
    detection.looked.map(one => [one.driver, one.fits]),
    [
      ['gramine', false],
      ['tdx_guest', false],
      ['sev_guest', false],
    ],
  )
})

test('Gramine with DCAP fits, and is what is opened', async t => {
  const quote = (await createIntelPlatform()).sgxQuote({ reportData: new Uint8Array(64) })
  const root = machine(t, {
    'dev/attestation/attestation_type': 'dcap',
    'dev/attestation/user_report_data': '',
  })
  writeFileSync(join(root, 'dev/attestation/quote'), quote)
  assert.equal((await detectPlatform({ root })).driver, 'gramine')
  const driver = await openDriver({ root })
  assert.equal((await driver.quote(new Uint8Array(64))).kind, 'sgx')
})

test('Gramine without attestation, and SGX without Gramine, say what to do', async t => {
  const none = about(
    await detectPlatform({ root: machine(t, { 'dev/attestation/attestation_type': 'none' }) }),
    'gramine',
  )
  assert.match(none.reason, /none/)
  assert.match(none.hint ?? '', /dcap/)
  const bare = about(await detectPlatform({ root: machine(t, { 'dev/sgx_enclave': '' }) }), 'gramine')
  assert.match(bare.hint ?? '', /gramine-sgx/)
})

for (const [provider, kind] of [
  ['tdx_guest', 'tdx'],
  ['sev_guest', 'snp'],
] as const) {
  test(`a kernel with ${provider} fits, and keeps no entry of the look`, async t => {
    const root = machine(t, {}, [TSM])
    const kernel = new TsmKernel({ provider, sign: () => new Uint8Array() })
    const detection = await detectPlatform({ root, files: withKernel(root, kernel) })
    assert.equal(detection.driver, provider)
    assert.equal(kernel.made.length, 1)
    assert.equal(kernel.entries.size, 0)
    assert.equal((await openDriver({ root, files: withKernel(root, kernel) })).kind, kind)
    const other = about(detection, provider === 'tdx_guest' ? 'sev_guest' : 'tdx_guest')
    assert.match(other.reason, new RegExp(provider))
  })
}

test('a provider that nobody here reads is named', async t => {
  const root = machine(t, {}, [TSM])
  const kernel = new TsmKernel({ provider: 'arm_cca_guest', sign: () => new Uint8Array() })
  const detection = await detectPlatform({ root, files: withKernel(root, kernel) })
  assert.equal(detection.driver, null)
  assert.match(about(detection, 'tdx_guest').reason, /arm_cca_guest.*not read here/)
})

test('a kernel before 6.7 is too old, whatever else is missing', async t => {
  for (const [release, isOld] of [
    ['5.15.0-generic', true],
    ['6.6.99', true],
    ['6.7.0', false],
    ['6.10.1', false],
    ['7.0.0', false],
  ] as const) {
    const root = machine(t, { 'proc/sys/kernel/osrelease': release, 'dev/tdx-guest': '' })
    assert.equal(
      /6\.7 or later/.test(about(await detectPlatform({ root }), 'tdx_guest').hint ?? ''),
      isOld,
      release,
    )
  }
})

test('configfs that is not mounted, and a module that is not loaded, are told apart', async t => {
  const base = { 'proc/sys/kernel/osrelease': '6.14.0', 'dev/sev-guest': '' }
  const unmounted = about(await detectPlatform({ root: machine(t, base) }), 'sev_guest')
  assert.match(unmounted.hint ?? '', /^mount -t configfs/)
  const unloaded = about(await detectPlatform({ root: machine(t, base, ['sys/kernel/config']) }), 'sev_guest')
  assert.match(unloaded.hint ?? '', /^modprobe sev-guest/)
  assert.match(unloaded.reason, /\/dev\/sev-guest is there/)
})

test('a kernel without a provider says so; on Azure the paravisor is why', async t => {
  const kernel = new TsmKernel({ provider: null, sign: () => new Uint8Array() })
  const plain = machine(t, {}, [TSM])
  const missing = about(await detectPlatform({ root: plain, files: withKernel(plain, kernel) }), 'tdx_guest')
  assert.match(missing.hint ?? '', /modprobe tdx_guest/)
  const azure = machine(t, { 'sys/class/dmi/id/sys_vendor': 'Microsoft Corporation\n' }, [TSM])
  const kept = about(await detectPlatform({ root: azure, files: withKernel(azure, kernel) }), 'tdx_guest')
  assert.match(kept.reason, /paravisor/)
  assert.match(kept.hint ?? '', /vTPM/)
})

test('a machine whose processors are no TD’s is told that, and nothing about mounts', async t => {
  const cpu = (flags: string): string => `processor\t: 0\nflags\t\t: fpu ${flags} avx\n`
  const plain = about(
    await detectPlatform({ root: machine(t, { 'proc/cpuinfo': cpu('hypervisor') }) }),
    'tdx_guest',
  )
  assert.match(plain.reason, /no TDX domain/)
  assert.equal(plain.hint, null)
  const td = about(
    await detectPlatform({ root: machine(t, { 'proc/cpuinfo': cpu('tdx_guest') }) }),
    'tdx_guest',
  )
  assert.match(td.hint ?? '', /mount -t configfs/)
})

test('a user who is not root hears that, and that the device is there', async t => {
  for (const code of ['EACCES', 'EPERM']) {
    const root = machine(t, { 'dev/tdx_guest': '' }, [TSM])
    const files = { ...SYSTEM_FILES, makeDirectory: async () => Promise.reject(errno(code)) }
    const found = about(await detectPlatform({ root, files }), 'tdx_guest')
    assert.match(found.hint ?? '', /root/)
    assert.match(found.reason, /\/dev\/tdx_guest is there/)
  }
})

test('what may not even be looked at is no reason to fail', async t => {
  const root = machine(t)
  const refuse = async (): Promise<never> => Promise.reject(errno('EACCES'))
  const files = {
    read: refuse,
    write: refuse,
    makeDirectory: refuse,
    removeDirectory: refuse,
    isThere: refuse,
  }
  const detection = await detectPlatform({ root, files })
  assert.equal(detection.driver, null)
  for (const one of detection.looked) assert.notEqual(one.reason, '')
})

test('looking leaves nothing behind in a directory that is not the kernel’s', async t => {
  const root = machine(t, {}, [TSM])
  assert.equal((await detectPlatform({ root })).driver, null)
  assert.deepEqual(readdirSync(join(root, TSM)), [])
})

test('opening what is not there names every reason', async t => {
  await assert.rejects(openDriver({ root: machine(t) }), (error: EnclaveError) => {
    assert.ok(error instanceof EnclaveError)
    assert.equal(error.code, 'attestation-unavailable')
    assert.match(error.message, /gramine: .*tdx_guest: .*sev_guest: /)
    return true
  })
})
