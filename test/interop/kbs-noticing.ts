// That the guest of the KBS tests notices what a broker does wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Run, runClient } from './client.ts'
import { type Flaws, openFlawedKbs } from './flawed-kbs.ts'
import { steps } from './kbs-exchanges.ts'
import { PATH, PRINTED, SECRET } from './kbs-workloads.ts'

export function noticingTests(): void {
  const against = async (flaws: Flaws, ...args: readonly string[]): Promise<Run> => {
    const kbs = await openFlawedKbs(SECRET, flaws)
    try {
      return await runClient('--url', kbs.url, 'get-resource', '--path', PATH, ...args)
    } finally {
      kbs.close()
    }
  }

  test('nothing amiss in what jose has sealed with a header in the order of guests', async () => {
    assert.equal((await against({}, '--key', 'rsa-oaep')).stdout, PRINTED)
  })

  test('a header that begins with enc, which it cannot open', async () => {
    const run = await against({ header: { enc: 'A256GCM', alg: 'RSA-OAEP-256' } }, '--key', 'rsa-oaep')
    assert.match(run.failure, /the tag does not fit/)
    assert.notEqual(run.aad?.aad, run.aad?.protected)
  })

  test('an epk in another order, which it cannot open', async () => {
    assert.match((await against({}, '--key', 'ec-p256')).failure, /the tag does not fit/)
  })

  test('an error that is no ErrorInformation', async () => {
    const run = await against({ unauthorized: '{"error":{"code":"unauthorized"}}' })
    assert.match(run.failure, /no ErrorInformation/)
    assert.deepEqual(steps(run), ['resource 401'])
  })

  test('a success that is not 200', async () => {
    assert.deepEqual(steps(await against({ success: 201 })), ['resource 401', 'auth 201'])
  })
}
