// A simulated SGX processor reports the enclave that is stated, or one that the name of the code stands for.
import type { SgxQuoteRequest } from '@casemate/simulator'
import { parseSigstruct } from '../../image/sigstruct.ts'
import { measure, type SimulatedKind } from '../simulated-kind.ts'
import type { EnclaveStatement } from '../statement.ts'

export const SIMULATED_SGX: SimulatedKind = {
  signer: ({ intel }, { code, enclave }) => {
    const identity = enclave === null ? sgxCode(code) : enclaveIdentity(enclave)
    return reportData => ({ evidence: intel.sgxQuote({ reportData, ...identity }) })
  },
  hasRegister: false,
}

/** ATTRIBUTES.INIT, which EINIT sets. */
const ATTRIBUTE_INIT = 0x1n

/** The report of an SGX processor of the enclave with this SIGSTRUCT. */
function enclaveIdentity({ sigstruct }: EnclaveStatement): Omit<SgxQuoteRequest, 'reportData'> {
  const { attributes, ...stated } = parseSigstruct(sigstruct)
  return {
    mrEnclave: stated.enclaveHash,
    mrSigner: stated.mrSigner,
    isvProdId: stated.isvProdId,
    isvSvn: stated.isvSvn,
    isvExtProdId: stated.isvExtProdId,
    isvFamilyId: stated.isvFamilyId,
    miscSelect: stated.miscSelect,
    attributesFlags: attributes.flags | ATTRIBUTE_INIT,
    attributesXfrm: attributes.xfrm,
  }
}

function sgxCode(code: string): Omit<SgxQuoteRequest, 'reportData'> {
  return { mrEnclave: measure('sha256', code, 'enclave'), mrSigner: measure('sha256', code, 'signer') }
}
