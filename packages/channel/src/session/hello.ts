// The first frame of each side: the version it speaks, and what it demands of the other.
import { ChannelError } from '../errors.ts'
import type { Freshness } from '../peer/demands.ts'

const VERSION = 1
const DEMANDS = ['anyone', 'cached', 'session'] as const

export interface Hello {
  /** 'anyone': this side asks for no evidence. */
  readonly demands: Freshness | 'anyone'
}

export function encodeHello({ demands }: Hello): Uint8Array {
  return Uint8Array.of(VERSION, DEMANDS.indexOf(demands))
}

/** @throws {ChannelError} protocol-violation */
export function decodeHello(body: Uint8Array): Hello {
  const [version, index = -1] = body
  const demands = DEMANDS[index]
  if (body.length === 2 && version === VERSION && demands !== undefined) return { demands }
  throw new ChannelError('protocol-violation', 'the peer’s greeting is not one of this version', {
    expected: `version ${VERSION}`,
    got: version === undefined ? 'nothing' : `version ${version}`,
  })
}
