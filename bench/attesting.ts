// One guest's three requests (challenge, attestation, secret) over whichever connections its agent has, with as little
// work of the guest's own as possible.
import { type IncomingHttpHeaders, Agent as PlainAgent, request as sendPlain } from 'node:http'
import { Agent as SecureAgent, request as sendSecure } from 'node:https'
import type { IntelPlatform } from '@casemate/simulator'
import { attestation, SECRET } from './guest.ts'
import { CHALLENGE } from './hostile.ts'
import type { Target } from './wire.ts'

/** Where to, over which connections, and from which address of this machine. */
export interface Line {
  readonly target: Target
  readonly agent: PlainAgent
  readonly from?: string
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Message {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly cookie?: string
}

/** Keeps its connections; nobody here checks the certificate. */
export function keepingAgent({ isTls }: Target): PlainAgent {
  return isTls
    ? new SecureAgent({ keepAlive: true, rejectUnauthorized: false })
    : new PlainAgent({ keepAlive: true })
}

/** False if the broker refused one of the three. */
export async function attestAndFetch(line: Line, platform: IntelPlatform): Promise<boolean> {
  const auth = await exchange(line, { method: 'POST', path: '/kbs/v0/auth', body: CHALLENGE })
  if (auth.status !== 200) return false
  const { nonce } = JSON.parse(auth.text) as { nonce: string }
  const body = JSON.stringify(attestation(platform, nonce))
  const attested = await exchange(line, {
    method: 'POST',
    path: '/kbs/v0/attest',
    body,
    cookie: cookieOf(auth),
  })
  if (attested.status !== 200) return false
  const cookie = cookieOf(attested)
  return (await exchange(line, { method: 'GET', path: `/kbs/v0/resource/${SECRET}`, cookie })).status === 200
}

/** The answer to one message, read to its end. */
export function exchange(
  { target: { port, isTls }, agent, from }: Line,
  { method, path, body = '', cookie }: Message,
): Promise<Answer> {
  const headers = {
    'content-length': Buffer.byteLength(body),
    'content-type': 'application/json',
    ...(cookie === undefined ? {} : { cookie }),
  }
  const local = from === undefined ? {} : { localAddress: from }
  const options = { host: '127.0.0.1', port, method, path, headers, agent, ...local }
  return new Promise((resolve, reject) => {
    const request = (isTls ? sendSecure : sendPlain)(options, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    })
    request.on('error', reject).end(body)
  })
}

function cookieOf({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}
