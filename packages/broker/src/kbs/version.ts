// Protocol versions that are served side by side; all behaviour that differs is keyed on them.

import { BrokerError } from '../errors.ts'

/** Newest first. 0.3.0 was never in a release of the guest. */
export const PROTOCOL_VERSIONS = ['0.4.0', '0.2.0', '0.1.1'] as const
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number]

/** @throws {BrokerError} `protocol-version-unsupported`, naming what is served */
export function parseVersion(version: string): ProtocolVersion {
  const known = PROTOCOL_VERSIONS.find(served => served === version)
  if (known !== undefined) return known
  const got = /^[0-9A-Za-z.+-]{1,32}$/.test(version) ? version : 'not a version'
  throw new BrokerError(
    'protocol-version-unsupported',
    `KBS Client Protocol Version Mismatch: expect one of ${PROTOCOL_VERSIONS.join(', ')} while the request is ${got}`,
  )
}
