// Beside the enclave, clients wait for loads, do none themselves, and find the data there after a crash.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Enclave, EnclaveError } from '@casemate/enclave'
import { writeCohort } from '../load.ts'
import { COHORT_DIRECTORY, openService } from '../service.ts'

const NONE = new Uint8Array()

async function open(t: TestContext, answer: (name: string) => Promise<Uint8Array>) {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-service-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const genotypes = [Uint8Array.of(1), Uint8Array.of(2)]
  writeCohort(join(directory, COHORT_DIRECTORY), { score: NONE, genotypes, consents: NONE })
  const calls: string[] = []
  const call = async (name: string, input: Uint8Array): Promise<Uint8Array> => {
    calls.push(`${name} ${[...input].join(' ')}`.trim())
    return answer(name)
  }
  const enclave = { call, callBatch: async (name: string) => [await call(name, NONE)] } as unknown as Enclave
  let replace = (): void => undefined
  const service = await openService(enclave, {
    directory,
    onReplaced: listener => void (replace = listener),
    openEnclave: () => Promise.reject(new TypeError('one enclave is enough')),
  })
  return { service, calls, replace: () => replace() }
}

const LOADS = ['loadScore', 'loadGenotypes 1', 'loadGenotypes 2', 'loadConsents', 'open']

test('an instance that was replaced is loaded again before it answers', async t => {
  let release = (): void => undefined
  let held = Promise.resolve()
  const { service, calls, replace } = await open(t, async name => {
    if (name === 'loadScore') await held
    return NONE
  })
  assert.deepEqual(calls, LOADS)
  held = new Promise(resolve => void (release = resolve))
  replace()
  const asked = service.target.call('score', NONE, { transfer: false })
  const batch = service.target.callBatch('score', [NONE])
  await Promise.resolve()
  assert.deepEqual(calls.slice(LOADS.length), ['loadScore'])
  release()
  await Promise.all([asked, batch])
  assert.deepEqual(calls.slice(LOADS.length), [...LOADS, 'score', 'score'])
})

test('a load that fails is told to whoever calls, and the next replacement tries again', async t => {
  let broken = false
  const { service, replace } = await open(t, async name => {
    if (broken && name === 'open') throw new Error('broken')
    return NONE
  })
  broken = true
  replace()
  await assert.rejects(service.target.call('score', NONE, { transfer: false }), /broken/)
  broken = false
  replace()
  assert.deepEqual(await service.target.call('score', NONE, { transfer: false }), NONE)
})

test('a status is told in words, and what is none is told as it is', async t => {
  const refuse = (got: string) => async (name: string) => {
    if (name === 'loadGenotypes') throw new EnclaveError('call-failed', 'no result', { got })
    return NONE
  }
  await assert.rejects(open(t, refuse('33')), {
    code: 'call-failed',
    message: /^loadGenotypes: .* has no GT/,
  })
  await assert.rejects(open(t, refuse('99')), { code: 'call-failed', message: 'no result' })
})

test('clients load nothing', async t => {
  const { service, calls } = await open(t, async () => NONE)
  for (const name of ['loadScore', 'loadGenotypes', 'loadConsents', 'open']) {
    const call = service.target.call(name, NONE, { transfer: false })
    await assert.rejects(call, { code: 'function-unknown' })
    await assert.rejects(service.target.callBatch(name, [NONE]), { code: 'function-unknown' })
  }
  assert.deepEqual(calls, LOADS)
})
