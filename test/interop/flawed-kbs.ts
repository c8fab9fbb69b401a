// A key broker that is wrong in one way at a time, to see that the guest of these tests notices: what a broker gets past
// it is then right, and not overlooked. The JWE is jose's.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as jose from 'jose'

export interface Flaws {
  /** The protected header, in this order; jose puts `epk` behind it, with its members in jose's own order. */
  readonly header?: jose.CompactJWEHeaderParameters
  /** The body of a 401; ErrorInformation unless given. */
  readonly unauthorized?: string
  /** The status of success. */
  readonly success?: number
}

export interface FlawedKbs {
  readonly url: string
  close(): void
}

const UNAUTHORIZED = JSON.stringify({
  type: 'https://example.org/errors/Unauthorized',
  detail: 'attest first',
})
const SESSION = 'kbs-session-id=1'

export async function openFlawedKbs(secret: string, flaws: Flaws): Promise<FlawedKbs> {
  const { success = 200, unauthorized = UNAUTHORIZED } = flaws
  let key: jose.JWK = {}
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = (status: number, body: string): void =>
      void response
        .writeHead(status, { 'content-type': 'application/json', 'set-cookie': `${SESSION}; Path=/kbs/v0` })
        .end(body)
    const body = Buffer.concat(await request.toArray()).toString()
    if (request.url?.endsWith('/auth')) {
      return reply(success, JSON.stringify({ nonce: 'bm9uY2U=', 'extra-params': '' }))
    }
    if (request.url?.endsWith('/attest')) {
      key = (JSON.parse(body) as { 'runtime-data': { 'tee-pubkey': jose.JWK } })['runtime-data']['tee-pubkey']
      return reply(
        success,
        JSON.stringify({ token: new jose.UnsecuredJWT({}).setExpirationTime('5m').encode() }),
      )
    }
    if (request.headers.cookie !== SESSION || key.kty === undefined) return reply(401, unauthorized)
    return reply(success, JSON.stringify(await seal(secret, key, flaws)))
  }
  const server: Server = createServer((request, response) => void answer(request, response))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function seal(secret: string, key: jose.JWK, { header }: Flaws): Promise<jose.FlattenedJWE> {
  const protectedHeader = header ?? { alg: String(key.alg), enc: 'A256GCM' }
  const sealing = new jose.FlattenedEncrypt(Buffer.from(secret)).setProtectedHeader(protectedHeader)
  return sealing.encrypt(await jose.importJWK(key))
}
