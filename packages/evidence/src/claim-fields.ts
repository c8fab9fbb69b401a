// The claims by name and type, as data: what a rule may name, and what a claim is compared with.

import type { CommonClaims } from './claims.ts'
import type { Fields, FieldsOf } from './field-types.ts'
import { EVIDENCE_KINDS } from './kinds.ts'

/** Those of every kind. */
export const COMMON_FIELDS = {
  kind: 'string',
  measurement: 'string',
  signer: 'string?',
  debug: 'bool',
  tcbStatus: 'string?',
  tcbDate: 'string?',
  advisoryIds: 'list<string>',
  tcbEvaluationDataNumber: 'int?',
  collateral: {
    tcbInfo: 'string?',
    qeIdentity: 'string?',
    pckCrl: 'string?',
    rootCrl: 'string?',
    arkCrl: 'string?',
  },
  reportData: 'string',
  hardwareId: 'string?',
  hostData: 'string',
  simulated: 'bool',
  enclave: {
    orNull: {
      mrEnclave: 'string',
      mrSigner: 'string',
      isvProdId: 'int',
      isvSvn: 'int',
      isvExtProdId: 'string',
      isvFamilyId: 'string',
      debug: 'bool',
      signedOn: 'string',
      measuredBy: 'string',
      register: 'string?',
    },
  },
} as const satisfies FieldsOf<CommonClaims>

/** Every claim of every kind of evidence. */
export const CLAIM_FIELDS: Fields = Object.assign(
  {},
  COMMON_FIELDS,
  ...Object.values(EVIDENCE_KINDS).map(({ claimFields }) => claimFields),
)
