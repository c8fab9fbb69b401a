// What a guest's run is held to: that it got the secret or was refused, and that each exchange was as the KBS wire has it.

import assert from 'node:assert/strict'
import type { Exchange, Run } from './client.ts'
import { PRINTED } from './kbs-workloads.ts'

export function steps({ exchanges }: Run): readonly string[] {
  return exchanges.map(step)
}

function step({ path, status }: Exchange): string {
  return `${path.split('/')[3]} ${status}`
}

export function assertReleased(run: Run): void {
  assert.equal(run.code, 0, run.failure)
  assert.equal(run.stdout, PRINTED)
  assert.ok(run.aad)
  assert.equal(run.aad.aad, run.aad.protected)
  assertWire(run)
}

export function assertRefused(run: Run, last: string, variant: string): void {
  assert.equal(run.code, 1)
  assert.equal(run.stdout, '')
  const exchange = run.exchanges.at(-1)!
  assert.equal(step(exchange), last, run.failure)
  assert.equal(exchange.error?.type, `https://github.com/confidential-containers/kbs/errors/${variant}`)
  // Whoever runs the guest sees nothing but what it prints, escaped as the guest does it.
  const plain = (text: string): string => text.replaceAll(/[\\"]/g, '')
  assert.ok(plain(run.failure).includes(plain(exchange.error.detail)), run.failure)
  assertWire(run)
}

/** What holds for every exchange: JSON, ErrorInformation and nothing else for errors, a cookie from the handshake alone. */
function assertWire({ exchanges }: Run): void {
  for (const { path, status, contentType, cookies, error } of exchanges) {
    const isAdministration = contentType === null
    if (!isAdministration) assert.match(contentType, /^application\/json/)
    const isHandshake = status === 200 && (path.endsWith('/auth') || path.endsWith('/attest'))
    assert.equal(cookies, isHandshake ? 1 : 0, `${path} ${status}`)
    if (status === 200) continue
    assert.deepEqual(Object.keys(error ?? {}).toSorted(), ['detail', 'type'])
    assert.equal(typeof error?.detail, 'string')
  }
}
