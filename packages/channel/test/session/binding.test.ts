// The bytes that are signed for a session are others as soon as anything about the session is another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindingMessage, type SessionFacts } from '../../src/session/binding.ts'

const FACTS: SessionFacts = {
  exporter: new Uint8Array(32).fill(1),
  serverCertificate: Uint8Array.of(2),
  clientCertificate: Uint8Array.of(3),
  clientHello: { demands: 'cached' },
  serverHello: { demands: 'cached' },
}

test('role, demands, exporter and both certificates are all in the message', () => {
  const messages = [
    bindingMessage('server', FACTS),
    bindingMessage('client', FACTS),
    ...(
      [
        { exporter: new Uint8Array(32) },
        { serverCertificate: Uint8Array.of(9) },
        { clientCertificate: Uint8Array.of(9) },
        { clientCertificate: null },
        { clientHello: { demands: 'session' } },
        { serverHello: { demands: 'session' } },
      ] as const
    ).map(change => bindingMessage('server', { ...FACTS, ...change })),
  ].map(message => Buffer.from(message).toString('hex'))
  assert.equal(new Set(messages).size, messages.length)
  assert.equal(new Set(messages.map(({ length }) => length)).size, 1)
})
