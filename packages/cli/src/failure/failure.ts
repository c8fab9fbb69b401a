// Every way in which a command can fail, brought to one shape: a stable code, what was said, and a hint.
// Exit codes: 1 refused (the answer is no), 2 usage (change the command or a file), 3 unavailable (try again),
// 70 a fault of Casemate itself (EX_SOFTWARE of sysexits.h), which no input should be able to bring about; 126 and 127
// are what shells say of a command that they cannot run or find.

import { clip } from '../terminal/printable.ts'
import { machineFailure } from './machine-failure.ts'

/** The codes that the command itself adds to those of the packages below it. */
export const CLI_CODES = {
  'unknown-command': 2,
  'unknown-flag': 2,
  'flag-value-missing': 2,
  'flag-value-unwanted': 2,
  'flag-value-invalid': 2,
  'flag-repeated': 2,
  'argument-missing': 2,
  'argument-unexpected': 2,
  'code-not-compared': 2,
  'file-not-readable': 2,
  'file-malformed': 2,
  'token-missing': 2,
  'token-malformed': 2,
  'config-invalid': 2,
  'simulator-missing': 2,
  'proof-invalid': 1,
  'file-exists': 2,
  'file-not-writable': 2,
  'key-unsafe': 2,
} as const

/** A stable code of {@link CLI_CODES}. */
export type CliCode = keyof typeof CLI_CODES

/** A command that could not be done as it was typed. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliCode
  readonly hint: string | undefined

  constructor(code: CliCode, message: string, detail: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.hint = detail.hint
  }
}

type ExitCode = 1 | 2 | 3 | 70 | 126 | 127

/** A failure as it is printed. */
export interface Failure {
  readonly exitCode: ExitCode
  readonly code: string
  readonly message: string
  readonly expected?: string
  readonly got?: string
  readonly hint?: string
  readonly problems?: readonly string[]
  /** For a fault of our own: where it happened. */
  readonly trace?: readonly string[]
}

/** Classes of the packages below, by the name that they carry, with exit code and the code where they have none. */
const CLASSES: ReadonlyMap<string, readonly [1 | 2 | 3, string]> = new Map([
  ['Refusal', [1, 'refused']],
  ['BrokerRefusal', [1, 'refused']],
  ['LedgerError', [1, 'refused']],
  ['Unavailable', [3, 'unavailable']],
  ['StartError', [2, 'config-invalid']],
  ['ClientConfigError', [2, 'config-invalid']],
  ['AppraisalConfigError', [2, 'config-invalid']],
  ['EnclaveError', [1, 'refused']],
  ['ChannelError', [1, 'refused']],
  ['AgentError', [2, 'refused']],
])

/** Codes of a LedgerError that say neither that the log is wrong nor that a receipt is. */
const LEDGER_CODES: ReadonlyMap<string, 2 | 3> = new Map([
  ['key-malformed', 2],
  ['ledger-busy', 3],
  ['ledger-unavailable', 3],
  ['ledger-failed', 3],
  ['ledger-closed', 3],
])

/** Codes of an EnclaveError that are no verdict about an image, an enclave or a blob. */
const ENCLAVE_CODES: ReadonlyMap<string, 2 | 3> = new Map([
  ['invalid-parameter', 2],
  ['invalid-manifest', 2],
  ['invalid-key', 2],
  ['source-unreadable', 2],
  ['settings-invalid', 2],
  ['compile-failed', 2],
  ['export-unsuitable', 2],
  ['function-unknown', 2],
  ['secret-unavailable', 2],
  ['root-unsafe', 2],
  ['root-invalid', 2],
  ['file-exists', 2],
  ['file-unreadable', 2],
  ['file-unwritable', 2],
  ['file-changed', 3],
  ['disk-full', 3],
  ['interrupted', 3],
  ['enclave-timeout', 3],
  ['enclave-lost', 3],
  ['attestation-busy', 3],
  ['attestation-unavailable', 3],
])

/** Codes of a ChannelError that say nothing against the other end. */
const CHANNEL_CODES: ReadonlyMap<string, 2 | 3> = new Map([
  ['address-unavailable', 2],
  ['identity-missing', 2],
  ['connect-failed', 3],
  ['handshake-timeout', 3],
  ['endorsements-unavailable', 3],
  ['identity-failed', 3],
  ['identity-expired', 3],
  ['connection-lost', 3],
])

/** Codes of an AgentError that are not about what was typed; 126 and 127 are what shells say of a command. */
const AGENT_CODES: ReadonlyMap<string, ExitCode> = new Map([
  ['secret-not-text', 1],
  ['guard-lost', 3],
  ['command-not-executable', 126],
  ['command-missing', 127],
])

const CODES_BY_CLASS: ReadonlyMap<string, ReadonlyMap<string, ExitCode>> = new Map([
  ['LedgerError', LEDGER_CODES],
  ['EnclaveError', ENCLAVE_CODES],
  ['ChannelError', CHANNEL_CODES],
  ['AgentError', AGENT_CODES],
])

/** Brings anything thrown to a {@link Failure}; what is not known here is a fault of our own. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CliError) {
    return { exitCode: CLI_CODES[thrown.code], code: thrown.code, message: thrown.message, ...textOf(thrown) }
  }
  const known = thrown instanceof Error ? CLASSES.get(thrown.name) : undefined
  if (thrown instanceof Error && known !== undefined) {
    const [exitCode, fallback] = known
    const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : fallback
    const problems = problemsOf(thrown)
    const count = problems.filter(line => !line.startsWith(' ')).length
    return {
      exitCode: CODES_BY_CLASS.get(thrown.name)?.get(code) ?? exitCode,
      code,
      message: problems.length > 0 ? `${count} problem${count === 1 ? '' : 's'}` : thrown.message,
      ...auditHint(thrown.message),
      ...hintOf(code, thrown.message),
      ...textOf(thrown),
      ...(problems.length > 0 ? { problems } : {}),
    }
  }
  return (
    machineFailure(thrown) ?? {
      exitCode: 70,
      code: 'internal-error',
      message: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
      ...traceOf(thrown),
      hint: 'this is a fault in casemate; please report it with the command that you typed',
    }
  )
}

function traceOf(thrown: unknown): { readonly trace?: readonly string[] } {
  const stack = thrown instanceof Error ? thrown.stack : undefined
  const frames = stack?.split('\n').filter(line => /^\s+at /.test(line)) ?? []
  return frames.length === 0 ? {} : { trace: frames.map(frame => frame.trim()) }
}

/** Codes that the broker keeps short, because whoever asks need not know more; an administrator may. */
const HINTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'appraisal-refused':
      'an auditor reads why: casemate attestation show ID, or attestation list --verdict refused',
    'evidence-refused':
      'an auditor reads why: casemate attestation show ID, or attestation list --verdict refused',
    'release-denied': 'an auditor reads which rule denied: casemate log show --attestation ID',
    'policy-missing': 'casemate policy list shows those that there are',
    'reference-missing': 'casemate reference list shows those that there are',
    'rule-missing': 'casemate rule list shows those that there are',
    'secret-missing': 'casemate secret list shows those that there are',
    'attestation-missing':
      'an id is taken whole, or as its last characters: casemate attestation list shows those that there are',
    'token-invalid': 'is CASEMATE_TOKEN a token of this broker? casemate token list shows which there are',
    'token-unknown': 'tokens go by their id, not their name: casemate token list shows it',
    'token-expired': 'an administrator makes a new one: casemate token create',
  }),
)

/** Whatever a broker says no more of to a guest is on record under the id that it gives. */
function auditHint(message: string): { readonly hint?: string } {
  const id = /\(attestation ([0-9a-f-]{36})\)/.exec(message)?.[1]
  return id === undefined ? {} : { hint: `an auditor reads why: casemate attestation show ${id}` }
}

/** With the id that the message names, so that the command can be typed as it stands. */
function hintOf(code: string, message: string): { readonly hint?: string } {
  const hint = HINTS.get(code)
  const id = /\(attestation ([0-9a-f-]{36})\)$/.exec(message)?.[1] ?? 'ID'
  return hint === undefined ? {} : { hint: hint.replace(/\bID\b/, id) }
}

/** The optional texts of an error, those that are there. */
function textOf(error: Error): Pick<Failure, 'expected' | 'got' | 'hint'> {
  const texts: Record<string, string> = {}
  for (const name of ['expected', 'got', 'hint'] as const) {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'string') texts[name] = name === 'hint' ? value : clip(value)
  }
  return texts
}

/** What is wrong with a document or a source, line by line: `problems` of a parser or compiler, `violations` of the broker. */
function problemsOf(error: Error): string[] {
  const found: unknown = Reflect.get(error, 'problems') ?? Reflect.get(error, 'violations')
  if (!Array.isArray(found)) return []
  if (found.every(line => typeof line === 'string')) return found
  let told: string | undefined
  return found.flatMap(({ path = '', expected = '', got = '', hint }: Record<string, string | undefined>) => {
    const at = path === '' ? '' : `${path}: `
    // A schema says what something must be; a policy, what is wanted.
    const line = expected.startsWith('must ')
      ? `${at}${clip(got)} ${clip(expected)}`
      : `${at}got ${clip(got)}, want ${clip(expected)}`
    // One hint often serves a whole list; it is said once.
    const lines = hint === undefined || hint === told ? [line] : [line, `  ${hint}`]
    told = hint ?? told
    return lines
  })
}
