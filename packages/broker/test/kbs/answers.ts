import assert from 'node:assert/strict'
import type { Answer } from './guest.ts'

/** What a refusal is to be: status, variant of the `type`, and the code that opens the `detail`. */
export interface Refused {
  readonly status: number
  readonly variant: string
  readonly code: string
}

/** Every error has a JSON body of exactly `type` and `detail`. */
export function assertRefused(answer: Answer, wanted: Refused): void {
  assert.equal(answer.status, wanted.status, answer.text)
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  assert.deepEqual(Object.keys(answer.body).sort(), ['detail', 'type'])
  assert.equal(answer.body.type, `https://github.com/confidential-containers/kbs/errors/${wanted.variant}`)
  assert.ok(answer.body.detail.startsWith(`${wanted.code}: `), answer.body.detail)
}
