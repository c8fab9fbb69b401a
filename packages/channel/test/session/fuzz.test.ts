// Sessions that were right, changed at random by an attacker who holds genuine keys and a genuine machine: each is
// refused with a code that was foreseen, and the next client gets in.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { equal } from '@casemate/evidence/bytes'
import * as fc from 'fast-check'
import { issueCertificate } from '../../src/certificate/issue.ts'
import { encodeCarried } from '../../src/evidence/carried.ts'
import { encodeClaims } from '../../src/evidence/claims-buffer.ts'
import { ChannelError, connectAttested } from '../../src/index.ts'
import { appraiseCertificate } from '../../src/peer/appraise.ts'
import { bindingMessage, exporterOf, type Role, signBinding } from '../../src/session/binding.ts'
import { encodeFrame, FRAME } from '../../src/session/frames.ts'
import { encodeHello } from '../../src/session/hello.ts'
import { sha256 } from '../../src/sha256.ts'
import { identityOf, intelMachine, listenerOf } from '../fixtures.ts'
import { type Mutation, mutations, runs } from '../mutations.ts'
import { bindingFrame, CACHED, rogueClient, rogueServer } from './rogue.ts'

function assertForeseen(error: unknown): void {
  assert.ok(error instanceof ChannelError, String(error))
  assert.notEqual(error.code, 'internal-error', String(error.cause))
}

async function genuine(t: TestContext) {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const { certificate, certificatePem: cert, keyPem: key, bindingKey } = identity.credentials()
  /** All that a side says of which both demand evidence of each other, or of the server alone. */
  const said = (role: Role, socket: TLSSocket, isMutual: boolean): Buffer => {
    const serverHello = isMutual ? CACHED : ({ demands: 'anyone' } as const)
    const message = bindingMessage(role, {
      exporter: exporterOf(socket),
      serverCertificate: certificate,
      clientCertificate: isMutual ? certificate : null,
      clientHello: CACHED,
      serverHello,
    })
    return Buffer.concat([
      encodeFrame(FRAME.hello, encodeHello(role === 'client' ? CACHED : serverHello)),
      bindingFrame(signBinding(message, bindingKey!)),
      encodeFrame(FRAME.ready),
    ])
  }
  return { machine, identity, cert, key, said }
}

const startsWith = (bytes: Uint8Array, head: Uint8Array): boolean =>
  equal(bytes.subarray(0, head.length), head)

test('a server takes no client whose bytes were changed, and goes on', async t => {
  const { machine, identity, cert, key, said } = await genuine(t)
  let outcome = Promise.withResolvers<ChannelError | null>()
  const listener = await listenerOf(t, identity, {
    peers: machine.demands,
    onRefused: error => outcome.resolve(error),
    onConnection: () => outcome.resolve(null),
  })
  const play = async (mutate: Mutation): Promise<void> => {
    outcome = Promise.withResolvers()
    const client = await rogueClient(t, listener, { cert, key })
    const right = said('client', client, true)
    const sent = mutate(right)
    client.resume().end(sent)
    const error = await outcome.promise
    client.destroy()
    if (error === null) assert.ok(startsWith(sent, right))
    else assertForeseen(error)
  }
  await play(bytes => bytes)
  await fc.assert(fc.asyncProperty(mutations, play), runs(100))
  await (await connectAttested({ ...listener, peer: machine.demands, identity })).close()
})

test('a client takes no server whose bytes were changed', async t => {
  const { machine, cert, key, said } = await genuine(t)
  let mutate: Mutation = bytes => bytes
  let [sent, right]: Uint8Array[] = []
  const server = await rogueServer(t, { cert, key, requestCert: false }, socket => {
    right = said('server', socket, false)
    sent = mutate(right)
    socket.resume().end(sent)
  })
  const play = async (given: Mutation): Promise<void> => {
    mutate = given
    try {
      await (await connectAttested({ ...server, peer: machine.demands })).close()
      assert.ok(startsWith(sent!, right!))
    } catch (error) {
      assertForeseen(error)
    }
  }
  await play(bytes => bytes)
  await fc.assert(fc.asyncProperty(mutations, play), runs(100))
})

test('a certificate that was changed is refused, or says the same as before', async t => {
  const { machine, identity } = await genuine(t)
  const listener = await listenerOf(t, identity)
  const x509 = (await rogueClient(t, listener)).getPeerX509Certificate()!
  const { raw, publicKey } = x509
  const before = await appraiseCertificate(x509, machine.demands)
  await fc.assert(
    fc.asyncProperty(mutations, async mutate => {
      try {
        const changed = { raw: Buffer.from(mutate(raw)), publicKey }
        const { peer, bindingKey } = await appraiseCertificate(changed, machine.demands)
        assert.deepEqual(peer.claims, before.peer.claims)
        assert.ok(bindingKey?.equals(before.bindingKey!))
      } catch (error) {
        assertForeseen(error)
      }
    }),
    runs(200),
  )
})

test('claims that a genuine machine vouches for are read or refused, whatever they are', async () => {
  const { driver, demands } = await intelMachine('tdx')
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const window = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 600_000) }
  const claims = encodeClaims({
    keyHash: { algorithm: 'sha256', digest: sha256(spki) },
    nonce: Uint8Array.of(1),
    bindingKey: spki,
    window,
    sigstruct: null,
  })
  await fc.assert(
    fc.asyncProperty(mutations, async mutate => {
      const changed = mutate(claims)
      const reportData = new Uint8Array(64)
      reportData.set(sha256(changed))
      const evidence = encodeCarried(await driver.quote(reportData), changed)
      const raw = Buffer.from(issueCertificate({ privateKey, spki, evidence, ...window }))
      await appraiseCertificate({ raw, publicKey }, demands).catch(assertForeseen)
    }),
    runs(200),
  )
})

test('a client that is cut off anywhere, with or without a word, is a refusal', async t => {
  const { machine, identity, cert, key, said } = await genuine(t)
  let refused = Promise.withResolvers<ChannelError>()
  const listener = await listenerOf(t, identity, {
    peers: machine.demands,
    onRefused: error => refused.resolve(error),
    onConnection: () => assert.fail('nobody gets in here'),
  })
  for (let cut = 0; cut < 90; cut += 6) {
    refused = Promise.withResolvers()
    const client = await rogueClient(t, listener, { cert, key })
    client.resume()
    if (cut % 4 === 0) client.end(said('client', client, true).subarray(0, cut))
    else {
      client.write(said('client', client, true).subarray(0, cut))
      await once(client, 'data')
      client.destroy()
    }
    assert.equal((await refused.promise).code, 'connection-lost')
  }
})
