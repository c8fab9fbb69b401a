// A reverse proxy that serves an origin under a path of its own and takes that path off, as ingresses do.

import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Proxy {
  readonly url: string
  close(): void
}

export async function openProxy(origin: string, path: string): Promise<Proxy> {
  const server = createServer((request, response) => {
    const { method = 'GET', headers, url = '' } = request
    const inside = url.startsWith(`${path}/`) ? url.slice(path.length) : '/'
    const forwarded = send(`${origin}${inside}`, { method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    request.pipe(forwarded)
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
