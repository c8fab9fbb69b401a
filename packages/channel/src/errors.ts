// Why a channel was not opened, was closed, or did not carry a call: one error class, one table of stable codes.
// Codes are API, messages are not; each code has exactly one meaning. A peer that is refused is told the code alone.

import type { Violation } from '@casemate/appraisal'

/** Every code a {@link ChannelError} can carry, with its one meaning. */
export const CHANNEL_ERRORS = {
  'connect-failed': 'nobody accepted a connection at the address',
  'address-unavailable': 'the address cannot be listened on',
  'connections-full': 'all places for connections are taken, and this one’s handshake is not done',
  'tls-failed': 'the TLS handshake failed for a reason that has no code of its own',
  'tls-too-old': 'the peer offers no TLS 1.3',
  'key-exchange-classical': 'the session’s keys would not be agreed on by the hybrid X25519MLKEM768',
  'protocol-mismatch': 'the peer does not speak this protocol (ALPN)',
  'session-resumed': 'the session continues an earlier one instead of proving itself',
  'handshake-timeout': 'the peer did not finish the handshake in time',
  'certificate-malformed':
    'the peer’s certificate is not an X.509 certificate of the form that evidence travels in',
  'certificate-expired': 'the peer’s certificate, or the window that its evidence states, has ended',
  'certificate-not-yet-valid':
    'the peer’s certificate, or the window that its evidence states, has not begun',
  'evidence-missing': 'the peer shows no certificate, or one without evidence',
  'evidence-malformed': 'the evidence extension does not have the shape that its format prescribes',
  'evidence-refused': 'the evidence does not verify; the cause says why',
  'endorsements-unavailable': 'the endorsements that this evidence needs could not be had',
  'key-not-bound': 'the evidence was not made for the key of this certificate',
  'appraisal-refused': 'the evidence verifies and is not what was wanted; the violations say why',
  'binding-missing': 'the peer did not bind its evidence to this session',
  'binding-invalid': 'what binds the evidence was made for another session, role or key',
  'session-evidence-missing': 'evidence made for this session was asked for and is not there',
  'session-evidence-invalid': 'the evidence was made for another session or on another machine',
  'session-expired': 'what the peer was accepted on is no longer valid',
  'refused-by-peer': 'the other side refused this one; `got` is its code',
  'protocol-violation': 'the peer sent what the protocol does not allow',
  'frame-too-large': 'a frame is larger than what the receiver takes',
  'identity-missing': 'the peer demands evidence, and this side has none to show',
  'identity-failed': 'the platform gave no evidence to make an identity from',
  'identity-expired': 'the identity has ended and could not be renewed',
  'connection-lost': 'the connection ended, and with it the calls that were not answered; they may have run',
  'channel-closed': 'this side closed the channel',
  'too-many-calls': 'more calls wait than may',
  'request-invalid': 'the request is not one that can be sent over an attested channel',
  'internal-error': 'something failed on the side that gives this code, and not by the rules of the protocol',
} as const

/** A stable code of {@link CHANNEL_ERRORS}. */
export type ChannelErrorCode = keyof typeof CHANNEL_ERRORS

/** Details of an error beside its code. */
export interface ChannelErrorDetail {
  readonly expected?: string
  readonly got?: string
  /** For a person: how to mend it. */
  readonly hint?: string
  readonly cause?: unknown
  /** Of an appraisal that refused. */
  readonly violations?: readonly Violation[]
}

/** A channel that does not stand, or a call over one that came to nothing. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly code: ChannelErrorCode
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined
  readonly violations: readonly Violation[]

  constructor(code: ChannelErrorCode, message: string, detail: ChannelErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.expected = detail.expected
    this.got = detail.got
    this.hint = detail.hint
    this.violations = detail.violations ?? []
  }
}

/** Whether the text is one of the codes: what a peer sends need not be. */
export function isChannelErrorCode(text: string): text is ChannelErrorCode {
  return Object.hasOwn(CHANNEL_ERRORS, text)
}

/** An error over a peer's bytes ends that peer's connection with a code, and never the process. */
export function asChannelError(error: unknown): ChannelError {
  if (error instanceof ChannelError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new ChannelError('internal-error', `an error that was not foreseen: ${why}`, {
    cause: error,
    hint: 'this is a mistake in this program; please report it',
  })
}
