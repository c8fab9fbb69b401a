// A vendor’s service on loopback: answers by path, and remembers what it was asked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** By path without query; a list is answered one by one, its last item from then on. */
export type Answers = Record<string, Answer | Answer[]>

export interface FakeService {
  readonly url: string
  readonly answers: Answers
  /** For paths without an answer; null: 404. */
  otherwise: (path: string) => Answer | null
  /** Paths with their queries, in order. */
  readonly asked: string[]
  close(): Promise<void>
}

export async function startService(answers: Answers): Promise<FakeService> {
  const asked: string[] = []
  const service = { otherwise: (_path: string): Answer | null => null }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const target = request.url ?? ''
    asked.push(target)
    const path = target.split('?')[0] ?? ''
    const found = answers[path]
    const answer = (Array.isArray(found) ? (found.length > 1 ? found.shift() : found[0]) : found) ??
      service.otherwise(path) ?? { status: 404 }
    response.writeHead(answer.status ?? 200, answer.headers ?? {})
    response.end(answer.body ?? '')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(service, {
    url: `http://127.0.0.1:${port}`,
    answers,
    asked,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}
