// Plain HTTP to a server that speaks TLS: it hangs up, as one that fails does. Whether it is that is found out by the
// beginning of a TLS connection, on which nothing is sent and nobody is believed.

import { type Fetch, Unavailable } from '@casemate/client'
import { systemCode } from '@casemate/evidence'

const PROBE_MS = 2_000

/** What is below `fetch failed` where the other end hung up, or answered what is no HTTP. */
const HUNG_UP = /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE|HPE_\w+)$/

/** The same, whose error says so where TLS is what the server speaks. */
export function noticingTls(fetch: Fetch): Fetch {
  return async (input, init) => {
    try {
      return await fetch(input, init)
    } catch (error) {
      const url = URL.parse(input)
      const mayBe = url?.protocol === 'http:' && HUNG_UP.test(systemCode(error) ?? '')
      if (!mayBe || !(await speaksTls(url))) throw error
      throw new Unavailable('unreachable', `what listens at ${url.origin} speaks TLS, and no plain HTTP`, {
        hint: `its URL begins with https: ${url.origin.replace(/^http:/, 'https:')}`,
        cause: error,
      })
    }
  }
}

async function speaksTls({ hostname, port }: URL): Promise<boolean> {
  const { connect } = await import('node:tls')
  return new Promise(resolve => {
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false, timeout: PROBE_MS })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('secureConnect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}
