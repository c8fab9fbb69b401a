// Reads captured SGX and TDX quotes and Intel's collateral, which lie outside of the repository, where they are present.

import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Endorsements } from '../../src/index.ts'
import { type EndorsementSource, readEndorsements } from '../../src/read-endorsements.ts'
import { skipWithout, VECTORS } from '../vectors.ts'

export const skipVectors = skipWithout('tdx')

export interface TcbEvaluation {
  readonly tcbinfo: string
  readonly qe_identity: string | null
  readonly status: {
    readonly platform: string
    readonly tcbDate?: string
    readonly advisoryIDs?: readonly string[]
    readonly module?: string
  }
  readonly qe_status: string | null
}

export interface IntelMeta {
  readonly expected_verdict: string
  readonly files: readonly { readonly file: string }[]
  readonly checks: Readonly<Record<string, boolean>>
  readonly debug?: boolean
  readonly report_data?: string
  readonly fmspc?: string | null
  readonly pck?: {
    readonly serial: string
    readonly ppid: string
    readonly pceid: string
    readonly svns: readonly number[]
    readonly pcesvn: number
  } | null
  readonly identity?: Readonly<Record<string, unknown>>
  readonly qe?: { readonly isvsvn: number }
  readonly trailing_bytes?: number
  readonly tcb_evaluations?: readonly TcbEvaluation[]
  readonly suggested_collateral?: {
    readonly tcbinfo: string
    readonly qe_identity: string | null
    readonly expected_tcb: string
    readonly detail: { readonly advisoryIDs?: readonly string[]; readonly tcbDate?: string }
  }
  readonly suggested_crls?: readonly string[]
  readonly suggested_time?: string
}

export interface IntelVector {
  readonly name: string
  readonly quote: Uint8Array
  readonly meta: IntelMeta
  /** The bundle that was captured with it. */
  readonly bundle: Uint8Array | null
}

export function readVectorFile(...path: readonly string[]): Uint8Array {
  return new Uint8Array(readFileSync(resolve(VECTORS, ...path)))
}

export function listVectorFiles(...path: readonly string[]): readonly string[] {
  return readdirSync(resolve(VECTORS, ...path))
}

export function readJson(...path: readonly string[]): unknown {
  return JSON.parse(readFileSync(resolve(VECTORS, ...path), 'utf8'))
}

/** The file of the vector that is evidence: `quote.bin`, or the one that a test suite calls otherwise. */
export function readIntelVectors(kind: 'sgx' | 'tdx'): readonly IntelVector[] {
  if (skipVectors !== false) return []
  return listVectorFiles(kind).map(name => {
    const meta = readJson(kind, name, 'meta.json') as IntelMeta
    const names = meta.files.map(({ file }) => file)
    const file = names.includes('quote.bin') ? 'quote.bin' : (names[0] ?? '')
    const bundle = names.includes('collateral.json') ? readVectorFile(kind, name, 'collateral.json') : null
    return { name, meta, quote: readVectorFile(kind, name, file), bundle }
  })
}

export function readIntelVector(kind: 'sgx' | 'tdx', name: string): IntelVector {
  const found = readIntelVectors(kind).find(vector => vector.name === name)
  if (!found) throw new Error(`no vector ${name}`)
  return found
}

function source(path: string): EndorsementSource {
  return { name: path, bytes: readVectorFile(path) }
}

/** Every certificate that Intel publishes for its hierarchy. */
export function intelCertificates(): readonly EndorsementSource[] {
  return listVectorFiles('roots/intel').map(file => source(`roots/intel/${file}`))
}

/** What the vector suggests, with other items put in place of those that do not fit. */
export function suggestedEndorsements({ meta }: IntelVector, more: readonly string[] = []): Endorsements {
  const { tcbinfo, qe_identity } = meta.suggested_collateral ?? {}
  const paths = [tcbinfo, qe_identity, ...(meta.suggested_crls ?? []), ...more]
  return readEndorsements([
    ...intelCertificates(),
    ...paths.filter(path => typeof path === 'string').map(source),
  ])
}
