import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { encodeCertificate } from '@casemate/evidence/asn1'
import { casemate } from './run.ts'

const DIRECTORY = mkdtempSync(join(tmpdir(), 'casemate-ca-'))
after(() => rmSync(DIRECTORY, { recursive: true }))

const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
const LOOPBACK = '300687047f000001'
const ELSEWHERE = '300687040a000001'
const AUTHORITY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const DAY_MS = 86_400_000

interface Wanted {
  readonly subject: string
  readonly key: KeyObject
  readonly extension: { readonly oid: string; readonly value: string }
  readonly endsInDays: number
}

function certificate({ subject, key, extension, endsInDays }: Wanted): string {
  const der = encodeCertificate(
    {
      serial: Uint8Array.of(subject.length + 1),
      issuer: [['CN', 'Authority of the test']],
      subject: [['CN', subject]],
      notBefore: new Date(Date.now() - 9 * DAY_MS),
      notAfter: new Date(Date.now() + endsInDays * DAY_MS),
      spki: key.export({ type: 'spki', format: 'der' }),
      extensions: [{ oid: extension.oid, critical: false, value: Buffer.from(extension.value, 'hex') }],
    },
    { algorithm: ECDSA_SHA256, sign: tbs => sign('sha256', tbs, AUTHORITY.privateKey) },
  )
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
}

const CA_FILE = join(DIRECTORY, 'ca.pem')
const isAuthority = { oid: '2.5.29.19', value: '30030101ff' }
writeFileSync(
  CA_FILE,
  certificate({
    subject: 'Authority of the test',
    key: AUTHORITY.publicKey,
    extension: isAuthority,
    endsInDays: 9,
  }),
)

async function serve(names: string, endsInDays: number): Promise<string> {
  const extension = { oid: '2.5.29.17', value: names }
  const cert = certificate({ subject: 'broker', key: KEY.publicKey, extension, endsInDays })
  const key = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const server = createServer({ cert, key }, (_, response) => response.end('no JSON'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
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
  assert.equal(await failing(await serve(ELSEWHERE, 9), /subjectAltName/), 'certificate-name-mismatch')
  assert.equal(await failing(await serve(LOOPBACK, -1), /renew/), 'certificate-expired')
  assert.equal(await failing('https://127.0.0.1:1', /casemate up/), 'unreachable')
})
