// What an enclave's calls and secrets become when its lease ends, with enclaves that answer when the test says so.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BrokerRefusal } from '@casemate/client'
import { type Enclave, EnclaveError } from '@casemate/enclave'
import { EnclaveService, type EnclaveServiceOptions } from '../../src/enclave/enclave-service.ts'
import type { Secrets } from '../../src/enclave/enclave-turn.ts'
import type { AgentEvent } from '../../src/standing/agent.ts'
import { KnownSecrets } from '../../src/standing/known-secrets.ts'

const PATH = 'default/test/secret'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const RENEWED: AgentEvent = { kind: 'renewed', leaseMs: 1_000 }
const ENDED: AgentEvent = { kind: 'lease-ended' }
const DENIED: AgentEvent = {
  kind: 'denied',
  error: new BrokerRefusal('release-denied', 'no', { status: 403 }),
}

/** An enclave whose calls wait until they are answered, or fail when it is closed. */
class Held {
  readonly secrets: Secrets
  closed = false
  readonly #calls: PromiseWithResolvers<Uint8Array>[] = []

  constructor(secrets: Secrets) {
    this.secrets = secrets
  }

  call = (): Promise<Uint8Array> => {
    const call = Promise.withResolvers<Uint8Array>()
    this.#calls.push(call)
    return call.promise
  }

  callBatch = async (): Promise<readonly Uint8Array[]> => [await this.call()]

  answer(): void {
    for (const { resolve } of this.#calls) resolve(bytes('answer'))
  }

  close = async (): Promise<void> => {
    this.closed = true
    for (const { reject } of this.#calls) reject(new EnclaveError('enclave-closed', 'the enclave was closed'))
  }
}

interface Opened {
  readonly service: EnclaveService
  readonly enclaves: readonly Held[]
  readonly notes: readonly string[]
  /** What the broker has. */
  readonly store: Map<string, Uint8Array>
  readonly tell: (event: AgentEvent) => void
  readonly agentClosed: () => boolean
}

async function opened(options: Partial<EnclaveServiceOptions> = {}): Promise<Opened> {
  const store = new Map([[PATH, bytes('one')]])
  let tell: (event: AgentEvent) => void = () => assert.fail('not started')
  let closed = false
  const agent = {
    getSecret: async (path: string) => (store.get(path) ?? assert.fail()).slice(),
    start: (listener: (event: AgentEvent) => void) => void (tell = listener),
    close: () => void (closed = true),
  }
  const known = new KnownSecrets(agent)
  const [enclaves, notes]: [Held[], string[]] = [[], []]
  const service = await EnclaveService.open({
    agent,
    known,
    onLeaseEnd: 'stop',
    onChange: 'restart',
    graceMs: 60_000,
    secrets: new Map([
      [PATH, await known.take(PATH)],
      ['of/a/file', bytes('file')],
    ]),
    open: async secrets => {
      const enclave = new Held(secrets)
      enclaves.push(enclave)
      return enclave as unknown as Enclave
    },
    note: line => void notes.push(line),
    ...options,
  })
  service.start()
  return { service, enclaves, notes, store, tell: event => tell(event), agentClosed: () => closed }
}

const call = ({ service }: Opened): Promise<Uint8Array> =>
  service.target.call('f', new Uint8Array(1), { transfer: false })
const callBatch = ({ service }: Opened): Promise<readonly Uint8Array[]> =>
  service.target.callBatch('f', [new Uint8Array(1)])
const CLOSED = { code: 'enclave-closed' }

function assertDropped({ secrets }: Held): void {
  for (const [path, secret] of secrets) assert.deepEqual([...secret], Array(secret.length).fill(0), path)
}

async function turnOfLoop(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
}

describe('an enclave under a lease', () => {
  for (const [event, why] of [
    [ENDED, 'lease-ended'],
    [DENIED, 'release-withdrawn'],
  ] as const) {
    test(`takes no call after “${why}”, answers what is under way, and drops its secrets`, async () => {
      const all = await opened()
      const [under, batch] = [call(all), callBatch(all)]
      all.tell(event)
      assert.equal(await all.service.leaseEnded, why)
      assert.ok(all.agentClosed())
      await assert.rejects(call(all), CLOSED)
      await assert.rejects(callBatch(all), CLOSED)
      const closing = all.service.close()
      await turnOfLoop()
      const [enclave] = all.enclaves
      assert.ok(enclave !== undefined && !enclave.closed)
      enclave.answer()
      assert.deepEqual([await under, await batch], [bytes('answer'), [bytes('answer')]])
      await closing
      assert.ok(enclave.closed)
      assertDropped(enclave)
    })
  }

  test('ends what is under way when its grace is over', async () => {
    const all = await opened({ graceMs: 0 })
    const under = assert.rejects(call(all), CLOSED)
    all.tell(ENDED)
    await all.service.close()
    await under
  })

  test('that is to be kept goes on', async () => {
    const all = await opened({ onLeaseEnd: 'keep' })
    all.tell(DENIED)
    all.tell(ENDED)
    const under = call(all)
    all.enclaves[0]?.answer()
    assert.deepEqual(await under, bytes('answer'))
    assert.ok(!all.agentClosed())
    await all.service.close()
    assert.ok(all.agentClosed())
  })

  test('is started anew with what has changed and what has not, and its calls end in the old one', async () => {
    const all = await opened()
    const under = call(all)
    all.tell(RENEWED)
    await turnOfLoop()
    assert.equal(all.enclaves.length, 1)
    all.store.set(PATH, bytes('two'))
    all.tell(RENEWED)
    while (all.enclaves.length < 2) await turnOfLoop()
    const [before, next] = all.enclaves
    assert.ok(before !== undefined && next !== undefined && !before.closed)
    const second = call(all)
    before.answer()
    assert.deepEqual(await under, bytes('answer'))
    while (!before.closed) await turnOfLoop()
    assertDropped(before)
    assert.deepEqual(
      [...next.secrets],
      [
        [PATH, bytes('two')],
        ['of/a/file', bytes('file')],
      ],
    )
    next.answer()
    assert.deepEqual(await second, bytes('answer'))
    await all.service.close()
    assertDropped(next)
  })

  test('keeps what it has where the next cannot be started, says so, and is started with the next renewal', async () => {
    const made: Held[] = []
    let hasRoom = true
    const all = await opened({
      open: async secrets => {
        if (!hasRoom) throw new EnclaveError('out-of-memory', 'no room')
        const enclave = new Held(secrets)
        made.push(enclave)
        return enclave as unknown as Enclave
      },
    })
    all.store.set(PATH, bytes('two'))
    hasRoom = false
    all.tell(RENEWED)
    while (all.notes.length < 2) await turnOfLoop()
    assert.match(all.notes[1] ?? '', /keeps what it was given until it can be started anew: .*no room/)
    const under = call(all)
    made[0]?.answer()
    assert.deepEqual(await under, bytes('answer'))
    hasRoom = true
    all.tell(RENEWED)
    for (let turn = 0; turn < 100 && made.length < 2; turn++) await turnOfLoop()
    assert.deepEqual(made[1]?.secrets.get(PATH), bytes('two'))
    all.tell(RENEWED)
    await turnOfLoop()
    assert.equal(made.length, 2)
    await all.service.close()
  })

  test('that is to keep what it was given is told of a change once', async () => {
    const all = await opened({ onChange: 'keep' })
    all.store.set(PATH, bytes('two'))
    for (let renewal = 0; renewal < 3; renewal++) {
      all.tell(RENEWED)
      await turnOfLoop()
    }
    assert.equal(all.notes.filter(line => /changed at the broker/.test(line)).length, 1)
    await all.service.close()
  })

  test('that has ended while its successor was being started leaves none behind', async () => {
    const gate = Promise.withResolvers<undefined>()
    const made: Held[] = []
    const all = await opened({
      open: async secrets => {
        const enclave = new Held(secrets)
        made.push(enclave)
        if (made.length > 1) await gate.promise
        return enclave as unknown as Enclave
      },
    })
    all.store.set(PATH, bytes('two'))
    all.tell(RENEWED)
    while (made.length < 2) await turnOfLoop()
    all.tell(ENDED)
    const closing = all.service.close()
    gate.resolve(undefined)
    await closing
    for (const enclave of made) {
      assert.ok(enclave.closed)
      assertDropped(enclave)
    }
    await assert.rejects(call(all), CLOSED)
  })
})
