// The broker of a private authority: refused as such, and trusted where the authority is named.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  AUTHORITY_PEM,
  ELSEWHERE,
  FOR_CLIENTS,
  LOOPBACK,
  serveTls,
} from '../../../evidence/test/node/private-authority.ts'
import { casemate } from '../run.ts'

const DIRECTORY = mkdtempSync(join(tmpdir(), 'casemate-ca-'))
after(() => rmSync(DIRECTORY, { recursive: true }))
const CA_FILE = join(DIRECTORY, 'ca.pem')
writeFileSync(CA_FILE, AUTHORITY_PEM)

async function serve(names: Parameters<typeof serveTls>[0], endsInDays: number): Promise<string> {
  const service = await serveTls(names, endsInDays, { status: 200, body: 'no JSON' })
  after(() => service.close())
  return service.url
}

const right = await serve(LOOPBACK, 9)

async function failing(url: string, hint: RegExp): Promise<string> {
  const args = ['log', 'key', '--server', url, '--json']
  const ran = await casemate(args, { cwd: DIRECTORY, env: caFile })
  const { error } = JSON.parse(ran.stdout)
  assert.equal(ran.code, 3, ran.stdout)
  assert.match(error.hint, hint)
  return error.code
}

// First without the authority: what a process trusts, it trusts to its end.
let caFile: Record<string, string> = {}

test('a broker of an unknown authority is told as such, with the flag that names the authority', async () => {
  assert.equal(await failing(right, /--ca-file/), 'certificate-untrusted')
})

test('a file that holds no certificate is refused by name', async () => {
  const file = join(DIRECTORY, 'none.pem')
  for (const text of [
    '',
    'no certificate',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  ]) {
    writeFileSync(file, text)
    const ran = await casemate(['log', 'key', '--server', right, '--ca-file', file], {
      cwd: DIRECTORY,
    })
    assert.equal(ran.code, 2)
    assert.match(ran.stderr, /file-malformed: .*none\.pem/)
  }
})

test('with --ca-file or CASEMATE_CA_FILE the broker is trusted; another name and another time stay refused', async () => {
  const args = ['log', 'key', '--server', right, '--ca-file', CA_FILE]
  const ran = await casemate(args, { cwd: DIRECTORY })
  assert.doesNotMatch(ran.stderr, /certificate-/)
  assert.match(ran.stderr, /response-malformed/)
  caFile = { CASEMATE_CA_FILE: CA_FILE }
  const elsewhere = await serve(ELSEWHERE, 9)
  assert.equal(await failing(elsewhere, /subjectAltName/), 'certificate-name-mismatch')
  const named = await casemate(['log', 'key', '--server', elsewhere], { cwd: DIRECTORY, env: caFile })
  assert.match(named.stderr, /ERR_TLS_CERT_ALTNAME_INVALID; it has (?:DNS|IP Address):/)
  assert.equal(await failing(await serve(LOOPBACK, -1), /renew/), 'certificate-expired')
  assert.equal(await failing(await serve(FOR_CLIENTS, 9), /serverAuth/), 'certificate-untrusted')
  assert.equal(await failing('https://127.0.0.1:1', /casemate up/), 'unreachable')
})
