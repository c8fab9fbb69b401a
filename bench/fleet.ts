// Guests on machines of their own, each with one connection that it keeps: as many at a time as hands are given, for as
// long as is wanted.
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request as send } from 'node:https'
import type { IntelPlatform } from '@casemate/simulator'
import { attestation, SECRET } from './guest.ts'
import { CHALLENGE } from './hostile.ts'
import { machine, type Target } from './wire.ts'

const MACHINES = 512
const GROUP = 16
/** Guests at the same time. */
const AT_ONCE = 16

/** What came of it. */
export interface Attested {
  /** Handshakes with their secret. */
  readonly done: number
  readonly failed: number
  readonly seconds: number
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export class Fleet {
  readonly #target: Target
  readonly #platform: IntelPlatform
  readonly #agent: Agent
  #next = 0

  constructor(target: Target, platform: IntelPlatform) {
    this.#target = target
    this.#platform = platform
    this.#agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  }

  /** Every machine once, so that each has its connection. */
  async connect(): Promise<void> {
    await this.#together(() => this.#next < MACHINES)
  }

  async attestFor(ms: number): Promise<Attested> {
    const startedAt = performance.now()
    const [done, failed] = await this.#together(() => performance.now() - startedAt < ms)
    return { done, failed, seconds: (performance.now() - startedAt) / 1000 }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #together(isWanted: () => boolean): Promise<readonly [number, number]> {
    let [done, failed] = [0, 0]
    const worker = async (): Promise<void> => {
      while (isWanted()) {
        if (await this.#attest(machine(GROUP, this.#next++ % MACHINES)).catch(() => false)) done++
        else failed++
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return [done, failed]
  }

  async #attest(from: string): Promise<boolean> {
    const auth = await this.#send(from, 'POST', '/kbs/v0/auth', { body: CHALLENGE })
    if (auth.status !== 200) return false
    const { nonce } = JSON.parse(auth.text) as { nonce: string }
    const body = JSON.stringify(attestation(this.#platform, nonce))
    const attested = await this.#send(from, 'POST', '/kbs/v0/attest', { body, cookie: cookieOf(auth) })
    if (attested.status !== 200) return false
    const cookie = cookieOf(attested)
    return (await this.#send(from, 'GET', `/kbs/v0/resource/${SECRET}`, { cookie })).status === 200
  }

  #send(
    localAddress: string,
    method: string,
    path: string,
    { body = '', cookie }: { readonly body?: string; readonly cookie?: string },
  ): Promise<Answer> {
    const headers = {
      'content-length': Buffer.byteLength(body),
      'content-type': 'application/json',
      ...(cookie === undefined ? {} : { cookie }),
    }
    const { port } = this.#target
    const options = { host: '127.0.0.1', port, method, path, headers, localAddress, agent: this.#agent }
    return new Promise((resolve, reject) => {
      const request = send(options, response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        )
        response.on('error', reject)
      })
      request.on('error', reject).end(body)
    })
  }
}

function cookieOf({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}
