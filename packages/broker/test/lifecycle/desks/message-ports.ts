// The way between a desk and its keeper, both in the process of a test.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Port } from '../../../src/lifecycle/desks/line.ts'

/** Two ends of one way; `close` ends both. */
export function messagePorts(): { readonly ends: readonly [Port, Port]; readonly close: () => void } {
  const { port1, port2 } = new MessageChannel()
  return { ends: [portOf(port1), portOf(port2)], close: () => port1.close() }
}

function portOf(port: MessagePort): Port {
  return {
    listen: listener => void port.on('message', message => listener(message, undefined)),
    send: (message, _connection, onSent) => {
      port.postMessage(message)
      onSent?.()
    },
  }
}
