// The second layer: the enclave that an attested machine says it runs. On SGX the processor itself may have measured it;
// on TDX and SEV-SNP, and where SGX measured a LibOS below it, the machine's word is all there is, and is worth what the
// machine's own measurement is worth. The signature proves who signed that code, not that it runs.

import { equal, fromHex, toHex } from '../bytes.ts'
import type { EnclaveClaims } from '../claims.ts'
import { type Claims, kindOf } from '../kinds.ts'
import { Refusal } from '../refusal.ts'
import type { Step } from '../step.ts'
import type { Verified } from '../verify.ts'
import { verifySigstruct } from './signature.ts'
import { ATTRIBUTE_DEBUG, parseSigstruct, type Sigstruct } from './sigstruct.ts'
import { type EnclaveStatement, extendedRegister } from './statement.ts'

/**
 * Adds a stated enclave to verified claims. That the evidence binds this very statement is for the appraisal to compare:
 * the report data that the session demands is computed over it.
 * @throws {Refusal} `enclave-malformed`, `enclave-signature-invalid`, `enclave-mismatch`, with the steps that had passed
 */
export async function verifyEnclave(verified: Verified, statement: EnclaveStatement): Promise<Verified> {
  const { claims, steps, validUntil } = verified
  try {
    const sigstruct = parseSigstruct(statement.sigstruct)
    const mrSigner = toHex(await verifySigstruct(sigstruct))
    const identity = identityOf(sigstruct, mrSigner)
    const measuredBy = measurerOf(claims, identity)
    const enclave: EnclaveClaims = {
      ...identity,
      debug: isDebug(claims, measuredBy, sigstruct),
      measuredBy,
      register: await registerOf(claims, statement),
    }
    return { claims: { ...claims, enclave }, steps: [...steps, ...stepsOf(enclave)], validUntil }
  } catch (error) {
    if (error instanceof Refusal) error.steps = steps
    throw error
  }
}

type Identity = Omit<EnclaveClaims, 'debug' | 'measuredBy' | 'register'>

function identityOf(sigstruct: Sigstruct, mrSigner: string): Identity {
  return {
    mrEnclave: toHex(sigstruct.enclaveHash),
    mrSigner,
    isvProdId: sigstruct.isvProdId,
    isvSvn: sigstruct.isvSvn,
    isvExtProdId: toHex(sigstruct.isvExtProdId),
    isvFamilyId: toHex(sigstruct.isvFamilyId),
    signedOn: sigstruct.date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'),
  }
}

/** An enclave that the processor measured has the identity that the processor reports, or it is another one. */
function measurerOf(claims: Claims, identity: Identity): EnclaveClaims['measuredBy'] {
  const measured = kindOf(claims).measuredEnclave(claims)
  if (measured?.mrEnclave !== identity.mrEnclave) return 'host'
  for (const name of ['mrSigner', 'isvProdId', 'isvSvn'] as const) {
    if (measured[name] === identity[name]) continue
    throw new Refusal('enclave-mismatch', `the processor reports another ${name} than the statement has`, {
      expected: String(measured[name]),
      got: String(identity[name]),
      hint: 'state the SIGSTRUCT that the enclave was started with',
    })
  }
  return 'processor'
}

/**
 * The processor says whether it runs for debugging. Without its word, a signature that leaves the bit open lets a
 * machine run the code either way, so that it counts as set.
 */
function isDebug(
  claims: Claims,
  measuredBy: EnclaveClaims['measuredBy'],
  { debug, attributeMask }: Sigstruct,
): boolean {
  if (measuredBy === 'processor') return claims.debug
  return debug || (attributeMask.flags & ATTRIBUTE_DEBUG) === 0n
}

async function registerOf(claims: Claims, statement: EnclaveStatement): Promise<EnclaveClaims['register']> {
  const register = kindOf(claims).enclaveRegister(claims)
  if (register === null) return null
  const value = fromHex(register)
  const isExtended = value !== null && equal(value, await extendedRegister(statement))
  return isExtended ? 'extended' : 'not-extended'
}

const MEASURERS = {
  processor: 'measured by the processor',
  host: 'measured by the platform below, whose own measurement vouches for it',
} as const

function stepsOf({ mrEnclave, mrSigner, measuredBy, register }: EnclaveClaims): readonly Step[] {
  const signature = { name: 'enclave-signature', looked: `SIGSTRUCT of ${mrEnclave} by ${mrSigner}` }
  const measured = { name: 'enclave-measurement', looked: MEASURERS[measuredBy] }
  if (register !== 'extended') return [signature, measured]
  return [
    signature,
    measured,
    { name: 'enclave-register', looked: 'RTMR3 = zeros extended with the SIGSTRUCT' },
  ]
}
