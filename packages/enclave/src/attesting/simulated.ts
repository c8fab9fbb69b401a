// The driver for laptops: evidence in the real formats from a simulated platform, under a root of its own. Whatever is
// derived from it says `simulated`. What differs from hardware is that the code to be measured is an argument.
import { createHash } from 'node:crypto'
import { encodeCertTable, extendedRegister } from '@casemate/evidence'
import type { SgxQuoteRequest, SnpReportRequest, TdxQuoteRequest } from '@casemate/simulator'
import { equal, isZero } from '../bytes.ts'
import { parseSigstruct } from '../image/sigstruct.ts'
import { type AttestationDriver, checkReportData, type Quote } from './driver.ts'
import type { RegisterState } from './register.ts'
import { openSimulatedPlatform, type SimulatedPlatform, type SimulatedTrust } from './simulated-platform.ts'
import { DEMO_CODE } from './simulator-files.ts'
import type { EnclaveStatement } from './statement.ts'

/** What a simulated machine pretends to run. */
export interface SimulatedCode {
  /** The format of the evidence. Default: `tdx`. */
  readonly kind?: Quote['kind']
  /**
   * The machine below, by a name that its measurements are hashes of. Default: {@link DEMO_CODE}.
   * An SGX platform has none below the enclave.
   */
  readonly code?: string
  /** The enclave that runs: an SGX quote then carries its identity, as the processor would have taken it from EINIT. */
  readonly enclave?: EnclaveStatement | null
}

/** A simulated platform, and what it pretends to run. */
export interface SimulatedDriverOptions extends SimulatedCode {
  /** Made there if there is none, see {@link openSimulatedPlatform}. */
  readonly directory: string
  /** When its endorsements are issued; they are good for 30 days. */
  readonly now: Date
}

/** A driver that also says how its evidence is accepted. */
export interface SimulatedDriver extends AttestationDriver {
  readonly trust: SimulatedTrust
}

/** @throws {EnclaveError} simulator-invalid, invalid-metadata */
export async function openSimulatedDriver(options: SimulatedDriverOptions): Promise<SimulatedDriver> {
  return simulatedDriver(await openSimulatedPlatform(options.directory, options.now), options)
}

/** The driver of a platform that is open already. @throws {EnclaveError} invalid-metadata */
export function simulatedDriver(
  platform: SimulatedPlatform,
  { kind = 'tdx', code = DEMO_CODE, enclave = null }: SimulatedCode,
): SimulatedDriver {
  const register = new SimulatedRegister()
  const sign = signerOf(platform, { kind, code, enclave }, register)
  return {
    kind,
    simulated: true,
    source: platform.directory,
    trust: platform.trust,
    quote: async reportData => {
      checkReportData(reportData)
      return { kind, certificateTable: null, ...sign(reportData) }
    },
    ...(kind === 'tdx' ? { extendRegister: statement => register.extend(statement) } : {}),
  }
}

/** RTMR3 of a virtual TD that has just started, and lives as long as its driver. */
class SimulatedRegister {
  value: Uint8Array = new Uint8Array(48)

  async extend(statement: EnclaveStatement): Promise<RegisterState> {
    const wanted = await extendedRegister(statement)
    if (isZero(this.value)) this.value = wanted
    return equal(this.value, wanted) ? 'extended' : 'taken'
  }
}

type Signer = (reportData: Uint8Array) => Pick<Quote, 'evidence'> & Partial<Pick<Quote, 'certificateTable'>>

function signerOf(
  { intel, amd }: SimulatedPlatform,
  { kind, code, enclave }: Required<SimulatedCode>,
  register: SimulatedRegister,
): Signer {
  switch (kind) {
    case 'sgx': {
      const identity = enclave === null ? sgxCode(code) : enclaveIdentity(enclave)
      return reportData => ({ evidence: intel.sgxQuote({ reportData, ...identity }) })
    }
    case 'tdx':
      return reportData => ({
        evidence: intel.tdxQuote({ reportData, ...tdxCode(code), rtmr3: register.value }),
      })
    case 'snp': {
      const leaf = amd.endorsements.find(one => one.name === 'leaf.der')?.bytes ?? new Uint8Array()
      const certificateTable = encodeCertTable([{ type: amd.settings.signingKey, bytes: leaf }])
      return reportData => ({
        evidence: amd.snpReport({ reportData, ...snpCode(code) }),
        certificateTable,
      })
    }
    default:
      return kind satisfies never
  }
}

/** ATTRIBUTES.INIT, which EINIT sets. */
const ATTRIBUTE_INIT = 0x1n

/** What an SGX processor would report of the enclave with this SIGSTRUCT. */
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

/** A virtual TD’s firmware, kernel and command line. */
function tdxCode(code: string): Omit<TdxQuoteRequest, 'reportData'> {
  return {
    mrTd: measure('sha384', code, 'firmware'),
    rtmr1: measure('sha384', code, 'kernel'),
    rtmr2: measure('sha384', code, 'command line'),
  }
}

function snpCode(code: string): Omit<SnpReportRequest, 'reportData'> {
  return { measurement: measure('sha384', code, 'launch') }
}

function measure(algorithm: 'sha256' | 'sha384', code: string, part: string): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(`${code} ${part}`).digest())
}
