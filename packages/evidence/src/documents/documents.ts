// The documents that vendors sign again and again, which is Intel: how each is read, and by which members of JSON it is known.

import { parseEnclaveIdentity } from './enclave-identity.ts'
import { parseTcbEvaluationNumbers } from './tcb-evaluation.ts'
import { parseTcbInfo } from './tcb-info.ts'

/**
 * By the list of `Endorsements` that they go to. Members are of the signed text and of its signature: in bundles, whose names
 * differ between Intel's libraries and others', and in answers of PCS and PCCS.
 */
export const DOCUMENTS = {
  tcbInfos: {
    parse: parseTcbInfo,
    members: [
      ['tcb_info', 'tcb_info_signature'],
      ['tcbInfo', 'tcbInfoSignature'],
      ['tcbInfo', 'signature'],
    ],
  },
  enclaveIdentities: {
    parse: parseEnclaveIdentity,
    members: [
      ['qe_identity', 'qe_identity_signature'],
      ['qeIdentity', 'qeIdentitySignature'],
      ['enclaveIdentity', 'signature'],
    ],
  },
  tcbEvaluationNumbers: {
    parse: parseTcbEvaluationNumbers,
    members: [['tcbEvaluationDataNumbers', 'signature']],
  },
} as const

/** Those lists. */
export const DOCUMENT_LISTS = Object.keys(DOCUMENTS) as readonly (keyof typeof DOCUMENTS)[]
