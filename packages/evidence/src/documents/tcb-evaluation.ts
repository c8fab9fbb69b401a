// TCB evaluation data numbers (Intel PCS API v4, `tcbEvaluationDataNumbers`): the recoveries that Intel has announced,
// from which an operator chooses the minimum to demand.

import { SignedFields } from './signed-fields.ts'
import type { SignedJson } from './signed-json.ts'

const MAX_U32 = 0xffff_ffff

export interface TcbEvaluationNumbers extends SignedJson {
  readonly kind: 'tcb-evaluation-numbers'
  readonly tee: 'sgx' | 'tdx'
  /** Milliseconds since 1970. */
  readonly issueDate: number
  readonly nextUpdate: number
  readonly numbers: readonly {
    readonly evaluationNumber: number
    /** RFC 3339, as served. */
    readonly recoveryEventDate: string
    readonly date: string
  }[]
}

/**
 * Reads signed `tcbEvaluationDataNumbers`, which `value` is; the signature is checked by verification, not here.
 * @throws {Refusal} `endorsement-malformed`
 */
export function parseTcbEvaluationNumbers(signed: SignedJson, value: unknown): TcbEvaluationNumbers {
  const fields = new SignedFields(value, 'tcbEvaluationDataNumbers')
  if (fields.integer('version', MAX_U32) !== 1) fields.fail('version 1', 'version')
  return {
    ...signed,
    kind: 'tcb-evaluation-numbers',
    tee: fields.oneOf('id', ['SGX', 'TDX']) === 'SGX' ? 'sgx' : 'tdx',
    ...fields.window(),
    numbers: fields.objects('tcbEvalNumbers').map(number => {
      number.time('tcbRecoveryEventDate')
      number.time('tcbDate')
      return {
        evaluationNumber: number.integer('tcbEvaluationDataNumber', MAX_U32),
        recoveryEventDate: number.text('tcbRecoveryEventDate'),
        date: number.text('tcbDate'),
      }
    }),
  }
}
