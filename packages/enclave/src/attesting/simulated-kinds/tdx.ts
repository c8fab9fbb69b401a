// A simulated TD reports the firmware, kernel and command line that the name of the code stands for, and its register.
import type { TdxQuoteRequest } from '@casemate/simulator'
import { measure, type SimulatedKind } from '../simulated-kind.ts'

export const SIMULATED_TDX: SimulatedKind = {
  signer:
    ({ intel }, { code, register }) =>
    reportData => ({
      evidence: intel.tdxQuote({ reportData, ...tdxCode(code), rtmr3: register.value }),
    }),
  hasRegister: true,
}

/** A virtual TD’s firmware, kernel and command line. */
function tdxCode(code: string): Omit<TdxQuoteRequest, 'reportData'> {
  return {
    mrTd: measure('sha384', code, 'firmware'),
    rtmr1: measure('sha384', code, 'kernel'),
    rtmr2: measure('sha384', code, 'command line'),
  }
}
