// Calls to an enclave over an attested channel: as if it were here, whatever goes wrong.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Enclave, EnclaveError } from '@casemate/enclave'
import { FUNCTIONS, makeImage } from '../../../enclave/test/running/modules.ts'
import {
  type CallTarget,
  type ConnectEnclaveOptions,
  connectEnclave,
  type EnclaveClient,
  type EnclaveServer,
  type ServeEnclaveOptions,
} from '../../src/index.ts'
import { rejectsCode, serverOf } from '../fixtures.ts'

interface Called {
  readonly client: EnclaveClient
  readonly server: EnclaveServer
}

async function call(
  t: TestContext,
  enclave: CallTarget,
  options: {
    readonly serve?: Partial<ServeEnclaveOptions>
    readonly connect?: Partial<ConnectEnclaveOptions>
  } = {},
): Promise<Called> {
  const server = await serverOf(t, enclave, options.serve)
  const client = await connectEnclave({ ...server, ...options.connect })
  return { client, server }
}

/** Room for a picture. */
const MODULE = { memory: { min: 1, max: 64, name: 'memory' } }

async function enclaveOf(t: TestContext, ...names: string[]): Promise<Enclave> {
  const functions = names.map(name => FUNCTIONS[name]!)
  const enclave = await Enclave.create(
    makeImage({ functions, module: MODULE, manifest: { memoryPages: 64 } }),
    {
      platform: { sealing: null, secrets: new Map(), log: () => undefined, report: () => undefined },
      debug: false,
      signers: 'any',
      measurement: 'any',
      limits: { callMs: 2_000 },
    },
  )
  t.after(() => enclave.close())
  return enclave
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const plain = (value: Uint8Array): Uint8Array => new Uint8Array(value)

async function failsAs(code: string, promise: Promise<unknown>): Promise<EnclaveError> {
  const error = await promise.then(
    () => assert.fail(`want ${code}`),
    (error: unknown) => error,
  )
  assert.ok(error instanceof EnclaveError, String(error))
  assert.equal(error.code, code)
  return error
}

test('answers are the enclave’s, of inputs of any size, alone, in batches and all at once', async t => {
  const { client } = await call(t, await enclaveOf(t, 'echo', 'copy'))
  for (const input of [text('hello'), new Uint8Array(), new Uint8Array(442_368).fill(7)]) {
    assert.deepEqual(plain(await client.call('echo', input)), input)
  }
  const batch = Array.from({ length: 100 }, (_, index) => text(`payment ${index}`))
  assert.deepEqual((await client.callBatch('copy', batch)).map(plain), batch)
  assert.deepEqual(await client.callBatch('copy', []), [])
  const many = Array.from({ length: 500 }, (_, index) => text(String(index)))
  const answers = await Promise.all(many.map(input => client.call('echo', input)))
  assert.deepEqual(answers.map(plain), many)
  await client.close()
})

test('an instance that dies fails its call and nothing else', async t => {
  const { client } = await call(t, await enclaveOf(t, 'trap', 'status', 'echo'))
  const trapped = failsAs('enclave-crashed', client.call('trap', text('x')))
  const refused = failsAs('call-failed', client.call('status', text('x')))
  const unknown = failsAs('function-unknown', client.call('other', text('x')))
  assert.deepEqual(plain(await client.call('echo', text('fine'))), text('fine'))
  await trapped
  // The status is the enclave's word to its caller; what a trap says is not.
  assert.equal((await refused).got, '5')
  assert.equal((await unknown).got, undefined)
  await client.close()
})

test('a connection that ends fails each call without an answer, and says so', async t => {
  const hold = Promise.withResolvers<void>()
  const enclave: CallTarget = {
    call: async (name, input) => {
      if (name === 'wait') await hold.promise
      return input
    },
    callBatch: async (_, inputs) => inputs,
  }
  const { client, server } = await call(t, enclave)
  assert.deepEqual(plain(await client.call('echo', text('x'))), text('x'))
  const lost = [client.call('wait', text('1')), client.call('wait', text('2'))]
  await client.call('echo', text('behind them'))
  const failed = Promise.all(lost.map(one => rejectsCode('connection-lost', one)))
  await server.close()
  await failed
  await rejectsCode('connection-lost', client.call('echo', text('late')))
  hold.resolve()
})

test('closing waits for the answers that are due, and takes no more calls', async t => {
  const { client } = await call(t, await enclaveOf(t, 'echo'))
  const answers = Array.from({ length: 200 }, () => client.call('echo', text('x')))
  const closing = client.close()
  await rejectsCode('channel-closed', client.call('echo', text('late')))
  const closingAgain = client.close()
  assert.equal((await Promise.all(answers)).length, 200)
  await Promise.all([closing, closingAgain])
  assert.equal(await client.closed, null)
})

test('a client has no more calls under way than the server takes, and a call no more bytes', async t => {
  let [under, most] = [0, 0]
  const enclave: CallTarget = {
    call: async (_, input) => {
      most = Math.max(most, ++under)
      await new Promise(resolve => setImmediate(resolve))
      under--
      return input
    },
    callBatch: async (_, inputs) => inputs,
  }
  const limits = { maxFrameBytes: 2_048, maxCallsInFlight: 3 }
  const { client } = await call(t, enclave, { serve: { limits } })
  await Promise.all(Array.from({ length: 50 }, () => client.call('echo', text('x'))))
  assert.equal(most, 3)
  await rejectsCode('frame-too-large', client.call('echo', new Uint8Array(2_048)))
  await client.call('echo', text('still here'))
  await client.close()
})

test('an answer that the client would not take is an error of its call', async t => {
  const enclave: CallTarget = {
    call: async () => new Uint8Array(4_096),
    callBatch: async (_, inputs) => inputs,
  }
  const limits = { maxFrameBytes: 2_048 }
  const { client } = await call(t, enclave, { connect: { limits } })
  await rejectsCode('frame-too-large', client.call('large', text('x')))
  await client.callBatch('echo', [text('still'), text('here')])
  await client.close()
})

test('what fails in the server for its own reasons is told to the server alone', async t => {
  const enclave: CallTarget = {
    call: async () => {
      throw new Error('the disk is full')
    },
    callBatch: async (_, inputs) => inputs,
  }
  const errors: unknown[] = []
  const { client } = await call(t, enclave, { serve: { onError: error => errors.push(error) } })
  const error = await failsAs('call-failed', client.call('any', text('x')))
  assert.doesNotMatch(error.message, /disk/)
  assert.match(String(errors[0]), /disk is full/)
  await client.close()
})
