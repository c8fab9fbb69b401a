// Collateral from a service of a private authority, such as a PCCS of one's own.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import {
  AUTHORITY_PEM,
  ELSEWHERE,
  LOOPBACK,
  serveTls,
} from '../../../evidence/test/node/private-authority.ts'
import { casemate, temporaryDirectory } from '../run.ts'

const cwd = temporaryDirectory(after)
let made = 0

before(async () => {
  const intel = await createIntelPlatform({ now: new Date() })
  writeFileSync(join(cwd, 'quote.bin'), intel.tdxQuote({ reportData: new Uint8Array(64) }))
  writeFileSync(join(cwd, 'trust.json'), JSON.stringify(intel.publicTrust()))
  writeFileSync(join(cwd, 'ca.pem'), AUTHORITY_PEM)
  writeFileSync(join(cwd, 'none.pem'), 'no certificate')
})

/** A service that has nothing, which is an answer. */
async function serve(names: string, endsInDays: number) {
  const service = await serveTls(names, endsInDays, { status: 404, body: '' })
  after(() => service.close())
  return service
}

function verify(url: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const args = ['verify', 'quote.bin', '--trust', 'trust.json', '--online', '--json', ...flags]
  const own = { CASEMATE_PCS_URL: url, XDG_CACHE_HOME: join(cwd, `cache-${made++}`) }
  return casemate(args, { cwd, env: { ...own, ...env } })
}

async function failing(url: string, hint: RegExp, env?: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout } = await verify(url, [], env)
  const { error } = JSON.parse(stdout)
  assert.equal(code, 3, stdout)
  assert.match(error.hint, hint)
  return error.code
}

// First without the authority: what a process trusts, it trusts to its end.
test('a service of an unknown authority, of another name, out of its time, and no service at all are told apart', async () => {
  const right = await serve(LOOPBACK, 9)
  assert.equal(await failing(right.url, /--ca-file/), 'certificate-untrusted')
  assert.deepEqual(right.asked, [])
  const env = { CASEMATE_CA_FILE: 'ca.pem' }
  const [elsewhere, expired] = [await serve(ELSEWHERE, 9), await serve(LOOPBACK, -1)]
  assert.equal(await failing(elsewhere.url, /subjectAltName/, env), 'certificate-name-mismatch')
  assert.equal(await failing(expired.url, /renew/, env), 'certificate-expired')
  const gone = await serve(LOOPBACK, 9)
  gone.close()
  assert.equal(await failing(gone.url, /may this machine reach it/, env), 'unreachable')
})

test('with --ca-file the service is asked', async () => {
  const right = await serve(LOOPBACK, 9)
  const ran = await verify(right.url, ['--ca-file', 'ca.pem'])
  assert.equal(ran.code, 1)
  assert.ok(
    right.asked.some(path => path.startsWith('/sgx/certification/v4/pckcrl')),
    ran.stdout,
  )
  const [file] = JSON.parse(ran.stdout).files
  assert.equal(file.claims.simulated, true)
})

test('a file of authorities that holds none is refused before anything is fetched', async () => {
  const right = await serve(LOOPBACK, 9)
  const ran = await verify(right.url, ['--ca-file', 'none.pem'])
  assert.equal(JSON.parse(ran.stdout).error.code, 'file-malformed')
  assert.deepEqual(right.asked, [])
})
