// Code may call its log, random bytes, its configuration and its secrets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rejectsCode } from '../expect-code.ts'
import { bytes, run } from './fixture.ts'
import { FUNCTIONS, IMPORTS } from './modules.ts'

/** Calls import 0 with the arguments. */
const CALL_IMPORT = [0x20, 0, 0x20, 1, 0x10, 0]

test('code writes lines to the platform’s log, and no more than a few for each call', async t => {
  const { echo } = FUNCTIONS
  const chatty = { ...echo!, name: 'chatty', body: [0x03, 0x40, ...CALL_IMPORT, 0x0c, 0, 0x0b, 0x42, 0] }
  const log = { ...echo!, name: 'say', body: [...CALL_IMPORT, ...echo!.body] }
  const { enclave, lines } = await run(
    t,
    { module: { imports: [IMPORTS.log] }, functions: [log, chatty] },
    { limits: { callMs: 500 } },
  )
  await enclave.call('say', bytes('good morning'))
  assert.deepEqual(lines, [{ instance: 0, text: 'good morning' }])
  await rejectsCode('enclave-timeout', enclave.call('chatty', bytes('!')))
  assert.ok(lines.length <= 65)
})

test('code reads random bytes and its configuration', async t => {
  const { echo } = FUNCTIONS
  const random = { ...echo!, name: 'random', body: [...CALL_IMPORT, ...echo!.body] }
  const drawn = await run(t, { module: { imports: [IMPORTS.random] }, functions: [random] })
  const [a, b] = await drawn.enclave.callBatch('random', [new Uint8Array(32), new Uint8Array(32)])
  assert.notDeepEqual(a, new Uint8Array(32))
  assert.notDeepEqual(a, b)
  const config = { ...echo!, name: 'setting', body: CALL_IMPORT }
  const { enclave } = await run(t, {
    module: { imports: [IMPORTS.config] },
    functions: [config],
    manifest: { configuration: { region: 'Zürich', empty: '' } },
  })
  assert.deepEqual(await enclave.call('setting', bytes('region')), bytes('Zürich'))
  assert.deepEqual(await enclave.call('setting', bytes('empty')), bytes(''))
  await rejectsCode('call-failed', enclave.call('setting', bytes('other')))
})

test('code gets the secrets that its manifest declares, and no others that the platform holds', async t => {
  const secret = { ...FUNCTIONS['echo']!, name: 'ask', body: CALL_IMPORT }
  const secrets = new Map([
    ['default/db/password', bytes('pa55')],
    ['default/other/key', bytes('not yours')],
    ['default/empty/one', bytes('')],
  ])
  const { enclave } = await run(
    t,
    {
      module: { imports: [IMPORTS.secret] },
      functions: [secret],
      manifest: { secrets: ['default/db/password', 'default/empty/one'] },
    },
    { platform: { sealing: null, secrets, log: () => undefined, report: () => undefined } },
  )
  assert.deepEqual(await enclave.call('ask', bytes('default/db/password')), bytes('pa55'))
  assert.deepEqual(await enclave.call('ask', bytes('default/empty/one')), bytes(''))
  for (const path of ['default/other/key', 'default/db', '', 'x'.repeat(300)]) {
    await assert.rejects(enclave.call('ask', bytes(path)), { code: 'call-failed', got: '1' })
  }
})
