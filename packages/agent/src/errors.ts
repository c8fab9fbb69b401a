// Why a workload cannot have its secrets here: one error class, one table of stable codes. What the broker says is not
// among them; it stays the client's.

/** Every code an {@link AgentError} can carry, with its one meaning. */
export const AGENT_ERRORS = {
  'secret-not-text': 'the secret cannot be the value of a variable',
  'directory-not-in-memory': 'the directory for secrets is on a disk, or there is none in memory',
  'directory-not-safe': 'others could replace what is in the directory for secrets',
  'clients-unknown': 'this system does not tell whose process connects',
  'address-in-use': 'the port of the guest API is in use, or may not be used',
  'connections-full': 'all connections of the guest API are taken',
  'debugger-open': 'a debugger can read the memory of this process',
  'guard-lost': 'the process that ends the command after this one has ended itself',
  'gate-lost': 'the process that was to become the command has ended before',
  'command-not-executable': 'the command is there and cannot be run',
  'command-missing': 'there is no such command',
} as const

/** A stable code of {@link AGENT_ERRORS}. */
export type AgentErrorCode = keyof typeof AGENT_ERRORS

/** A workload that cannot be given secrets, or a guest API that cannot be served, on this machine. */
export class AgentError extends Error {
  override readonly name = 'AgentError'
  readonly code: AgentErrorCode
  /** What a person can do about it. */
  readonly hint: string | undefined

  constructor(
    code: AgentErrorCode,
    message: string,
    detail: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.hint = detail.hint
  }
}
