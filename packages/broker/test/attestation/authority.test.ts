// A broker fetches endorsements from a service of a private authority where `caFile` names the authority.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import { AUTHORITY_PEM, LOOPBACK, serveTls } from '../../../evidence/test/node/private-authority.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { createLogger } from '../../src/http/logging.ts'
import { openBroker } from '../../src/lifecycle/broker.ts'
import { openTestBroker, START, temporaryDirectory } from '../broker.ts'

const directory = temporaryDirectory()
after(() => rmSync(directory, { recursive: true }))

/** What is logged where the endorsements of a quote can only be had from the service, and what the caller is told. */
async function verifying(url: string, flags: Readonly<Record<string, string>>) {
  const dataDir = join(directory, url.slice(-5) + Object.keys(flags).length)
  const settings = { 'data-dir': dataDir, 'pcs-url': url, ...flags }
  const { values } = resolveConfig({ flags: settings, env: {}, file: null })
  const intel = await createIntelPlatform({ now: START })
  const log: string[] = []
  const broker = await openBroker(values, {
    now: () => START,
    elapsedMs: () => 0,
    anchors: intel.anchors,
    endorsements: [],
    logger: createLogger('info', { write: line => void log.push(line) }),
  })
  try {
    const token = (await broker.administrators.ensureAdmin()) ?? ''
    const evidence = Buffer.from(intel.tdxQuote({ reportData: new Uint8Array(64) })).toString('base64')
    const headers = { authorization: `Bearer ${token}` }
    const answer = await broker.app.inject({
      method: 'POST',
      url: '/v1/verify',
      headers,
      payload: { evidence },
    })
    return { status: answer.statusCode, hint: answer.json().error?.hint, log: log.join('') }
  } finally {
    await broker.close()
  }
}

// First without the authority: what a process trusts, it trusts to its end.
test('the log says what is wrong with the certificate; with caFile the service is asked', async t => {
  const service = await serveTls(LOOPBACK, 9, { status: 404, body: '' })
  t.after(() => service.close())
  const refused = await verifying(service.url, {})
  assert.equal(refused.status, 503)
  assert.match(refused.hint, /log says which service .*--endorsements/)
  assert.ok(refused.log.includes(`"host":"${new URL(service.url).host}"`), refused.log)
  assert.match(refused.log, /"system":"[A-Z_]+"/)
  assert.match(refused.log, /"code":"certificate-untrusted"/)
  assert.equal(service.asked.length, 0)
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, AUTHORITY_PEM)
  await verifying(service.url, { 'ca-file': caFile })
  assert.ok(service.asked.some(path => path.startsWith('/sgx/certification/v4/pckcrl')))
})

test('a caFile that cannot be read, or holds no certificate, keeps the broker from starting', async () => {
  const empty = join(directory, 'empty.pem')
  writeFileSync(empty, 'no certificate')
  for (const file of [empty, join(directory, 'none.pem')]) {
    await assert.rejects(openTestBroker({ flags: { 'ca-file': file } }), {
      code: 'config-invalid',
      message: /^caFile: /,
    })
  }
})
