// The exit code of each error of the packages below. A package's class is known by its name, so that no command loads a
// package in order to know that it has not failed; names and codes are the compiler's to check.

import type { AgentError } from '@casemate/agent'
import type { AppraisalConfigError } from '@casemate/appraisal'
import type { StartError } from '@casemate/broker'
import type { ChannelError } from '@casemate/channel'
import type { BrokerRefusal, ClientConfigError, Unavailable } from '@casemate/client'
import type { EnclaveError } from '@casemate/enclave'
import type { Refusal } from '@casemate/evidence'
import type { Unavailable as EndorsementUnavailable } from '@casemate/evidence/node'
import type { LedgerError } from '@casemate/ledger'
import type { ExitCode } from './failure.ts'

type KnownError =
  | AgentError
  | AppraisalConfigError
  | BrokerRefusal
  | ChannelError
  | ClientConfigError
  | EnclaveError
  | EndorsementUnavailable
  | LedgerError
  | Refusal
  | StartError
  | Unavailable

interface Codes<Code extends string> {
  /** Of every code that is not listed. */
  readonly usual: 1 | 2 | 3
  readonly listed?: Readonly<Partial<Record<Code, Exclude<ExitCode, 70>>>>
}

type CodesByClass = {
  readonly [Name in KnownError['name']]: Codes<Extract<KnownError, { readonly name: Name }>['code']>
}

const CODES: CodesByClass = {
  Refusal: { usual: 1 },
  BrokerRefusal: { usual: 1 },
  Unavailable: { usual: 3 },
  ClientConfigError: { usual: 2 },
  StartError: { usual: 2 },
  AppraisalConfigError: { usual: 2 },
  AgentError: {
    usual: 2,
    listed: {
      'secret-not-text': 1,
      'guard-lost': 3,
      'gate-lost': 3,
      'command-not-executable': 126,
      'command-missing': 127,
    },
  },
  LedgerError: {
    usual: 1,
    // These say neither that the log is wrong nor that a receipt is.
    listed: {
      'key-malformed': 2,
      'ledger-busy': 3,
      'ledger-unavailable': 3,
      'ledger-failed': 3,
      'ledger-closed': 3,
    },
  },
  EnclaveError: {
    usual: 1,
    // These are no verdict about an image, an enclave or a blob.
    listed: {
      'invalid-parameter': 2,
      'invalid-manifest': 2,
      'invalid-key': 2,
      'source-unreadable': 2,
      'settings-invalid': 2,
      'compiler-unavailable': 3,
      'compile-failed': 2,
      'export-unsuitable': 2,
      'function-unknown': 2,
      'secret-unavailable': 2,
      'root-unsafe': 2,
      'root-invalid': 2,
      'file-exists': 2,
      'file-unreadable': 2,
      'file-unwritable': 2,
      'file-changed': 3,
      'disk-full': 3,
      interrupted: 3,
      'enclave-timeout': 3,
      'enclave-lost': 3,
      'trial-unavailable': 3,
      'attestation-busy': 3,
      'attestation-unavailable': 3,
    },
  },
  ChannelError: {
    usual: 1,
    // These say nothing against the other end.
    listed: {
      'address-unavailable': 2,
      'identity-missing': 2,
      'connect-failed': 3,
      'connections-full': 3,
      'handshake-timeout': 3,
      'endorsements-unavailable': 3,
      'identity-failed': 3,
      'identity-expired': 3,
      'connection-lost': 3,
    },
  },
}

const BY_NAME: ReadonlyMap<string, Codes<string>> = new Map(Object.entries(CODES))

/** By class and code; null for an error of no package. */
export function exitCodeOf({
  name,
  code,
}: {
  readonly name: string
  readonly code: string
}): ExitCode | null {
  const codes = BY_NAME.get(name)
  if (codes === undefined) return null
  const { usual, listed = {} } = codes
  // Codes of a broker are whatever it says.
  return Object.hasOwn(listed, code) ? (listed[code] ?? usual) : usual
}
