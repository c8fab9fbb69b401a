// http and https taken for one another: the command says what is spoken there, and the URL to type.

import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { after, test } from 'node:test'
import { LOOPBACK, serveTls } from '../../../evidence/test/node/private-authority.ts'
import { casemate } from '../run.ts'

async function portOf(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

interface Told {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** What two commands say alike, with a token and without. */
async function tell(url: string): Promise<Told> {
  const [anybody, administrator] = await Promise.all(
    [
      ['log', 'key'],
      ['secret', 'list'],
    ].map(async words => {
      const env = { CASEMATE_TOKEN: 'cmt_t' }
      const ran = await casemate([...words, '--server', url, '--json'], { env })
      assert.equal(ran.code, 3, ran.stdout)
      return JSON.parse(ran.stdout).error as Told
    }),
  )
  assert.deepEqual(anybody, administrator)
  assert.equal(administrator?.code, 'unreachable')
  return administrator
}

test('plain HTTP to a server of TLS is told as such, with the URL to type', async () => {
  const service = await serveTls(LOOPBACK, 9, { status: 200, body: '{}' })
  after(() => service.close())
  const { message, hint } = await tell(service.url.replace('https:', 'http:'))
  assert.match(message, /speaks TLS, and no plain HTTP/)
  assert.ok(hint.endsWith(` ${service.url}`), hint)
  assert.deepEqual(service.asked, [])
})

test('TLS to a server of plain HTTP is told as such, with the URL to type', async () => {
  const port = await portOf(createHttpServer())
  const { message, hint } = await tell(`https://127.0.0.1:${port}`)
  assert.match(message, /speaks no TLS/)
  assert.ok(hint.endsWith(` http://127.0.0.1:${port}`), hint)
})

test('of a server that hangs up whatever is spoken nothing is claimed', async () => {
  const port = await portOf(createServer(socket => void socket.on('error', () => undefined).end()))
  assert.doesNotMatch((await tell(`http://127.0.0.1:${port}`)).message, /TLS/)
  assert.doesNotMatch((await tell(`https://127.0.0.1:${port}`)).message, /TLS/)
})
