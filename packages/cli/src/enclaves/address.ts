// The address at which an enclave answers calls.

import { CliError } from '../failure/cli-error.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

const MAX_PORT = 65_535

/** `127.0.0.1:7000`, `[::1]:7000`. @throws {CliError} flag-value-invalid */
export function addressOf(typed: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(typed) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) <= MAX_PORT) return { host, port: Number(port) }
  throw new CliError('flag-value-invalid', `${typed} is no address`, {
    hint: 'HOST:PORT, e.g. 127.0.0.1:7000 or [::1]:7000',
  })
}
