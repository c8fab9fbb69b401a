// A certificate authority that nobody knows, and TLS servers on loopback with certificates of it.

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { encodeCertificate } from '../../src/asn1.ts'

const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
/** subjectAltName with one address. */
export const LOOPBACK = '300687047f000001'
export const ELSEWHERE = '300687040a000001'
/** extKeyUsage: clientAuth alone. */
export const FOR_CLIENTS = { oid: '2.5.29.37', value: '300a06082b06010505070302' }
const AUTHORITY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const DAY_MS = 86_400_000
const NAME = 'Authority of the test'

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
      issuer: [['CN', NAME]],
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

/** The authority's own certificate. */
export const AUTHORITY_PEM = certificate({
  subject: NAME,
  key: AUTHORITY.publicKey,
  extension: { oid: '2.5.29.19', value: '30030101ff' },
  endsInDays: 9,
})

export interface TlsService {
  readonly url: string
  /** Paths with their queries, in order. */
  readonly asked: readonly string[]
  close(): void
}

/** Says the same to every request; the certificate has a subjectAltName of the names, or another extension instead. */
export async function serveTls(
  names: string | Wanted['extension'],
  endsInDays: number,
  answer: { readonly status: number; readonly body: string },
): Promise<TlsService> {
  const extension = typeof names === 'string' ? { oid: '2.5.29.17', value: names } : names
  const cert = certificate({ subject: 'service', key: KEY.publicKey, extension, endsInDays })
  const key = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const asked: string[] = []
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(answer.status).end(answer.body)
  })
  // Hangs up on what is no TLS, as a broker does; Node would answer it in plain HTTP.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (_error, socket) => void socket.destroy())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    asked,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
