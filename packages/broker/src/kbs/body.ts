// Bodies of the KBS protocol: JSON to checked shapes, per protocol version. Members that are not known are ignored,
// as the protocol's own server does; those that are known have to be what it says.

import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { BrokerError } from '../errors.ts'
import { checkJson, GUEST_JSON } from '../http/strict-json.ts'

export const AUTH = Type.Object({
  version: Type.String({ maxLength: 64 }),
  tee: Type.String({ maxLength: 64 }),
  'extra-params': Type.Optional(Type.Unknown()),
})

const INIT_DATA = Type.Object({ format: Type.String({ maxLength: 16 }), body: Type.String() })

export const ATTEST = Type.Object({
  'init-data': Type.Optional(Type.Union([Type.Null(), INIT_DATA])),
  'runtime-data': Type.Object({
    nonce: Type.String({ maxLength: 128 }),
    'tee-pubkey': Type.Unknown(),
  }),
  'tee-evidence': Type.Object({
    primary_evidence: Type.Unknown(),
    additional_evidence: Type.String(),
  }),
})

/**
 * Protocols 0.1.1 and 0.2.0: the nonce is in the report data alone. The evidence is a JSON value (kbs-types 0.7 to 0.12)
 * or, from the earliest guests, JSON in a string.
 */
export const LEGACY_ATTEST = Type.Object({
  'tee-pubkey': Type.Unknown(),
  'tee-evidence': Type.Union([Type.String(), Type.Object({})]),
})

export const REFERENCE_VALUE = Type.Object({
  version: Type.Literal('0.1.0'),
  type: Type.Literal('sample'),
  payload: Type.String(),
})

export type AuthBody = Static<typeof AUTH>
export type AttestBody = Static<typeof ATTEST>
export type LegacyAttestBody = Static<typeof LEGACY_ATTEST>
export type ReferenceValueBody = Static<typeof REFERENCE_VALUE>

/** @throws {BrokerError} `request-malformed` */
export const readAuth: (body: unknown) => AuthBody = reader(AUTH, 'the request')
/** @throws {BrokerError} `request-malformed` */
export const readAttest: (body: unknown) => AttestBody = reader(ATTEST, 'the attestation')
/** @throws {BrokerError} `request-malformed` */
export const readLegacyAttest: (body: unknown) => LegacyAttestBody = reader(LEGACY_ATTEST, 'the attestation')
/** @throws {BrokerError} `request-malformed` */
export const readReferenceValue: (body: unknown) => ReferenceValueBody = reader(
  REFERENCE_VALUE,
  'the reference value message',
)

/** JSON of a text. @throws {BrokerError} `request-malformed`, `request-too-complex` */
export function parseJson(text: string, what: string): unknown {
  checkJson(text, GUEST_JSON, what)
  return parse(text, what)
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // What the parser says quotes the text, which may be evidence: it is not passed on.
    throw new BrokerError('request-malformed', `${what} is not JSON`)
  }
}

function reader<S extends TSchema>(schema: S, what: string): (body: unknown) => Static<S> {
  const compiled = Compile(schema)
  return body => {
    const value = parseJson(Buffer.isBuffer(body) ? body.toString('utf8') : '', what)
    if (compiled.Check(value)) return value
    const [error] = compiled.Errors(value)
    throw new BrokerError('request-malformed', `${what} is not as the protocol has it`, {
      got: `${error?.instancePath ?? ''} ${error?.message ?? ''}`.trim(),
    })
  }
}
