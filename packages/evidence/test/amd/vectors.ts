// Reads the captured SEV-SNP evidence that lies outside of the repository, where it is present.

import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Crl, parseCrl } from '../../src/crl.ts'
import { type Certificate, parseCertificate } from '../../src/x509.ts'
import { skipWithout, VECTORS } from '../vectors.ts'

export const skipVectors = skipWithout('snp')

export interface SnpVector {
  readonly name: string
  readonly expectedVerdict: string
  readonly product: string | null
  readonly debug: boolean | null
  readonly suggestedTime: Date | null
  readonly meta: { readonly report?: Readonly<Record<string, unknown>> }
  /** By file name. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

interface Meta {
  readonly name: string
  readonly expected_verdict: string
  readonly product: string | null
  readonly debug: boolean | null
  readonly suggested_time?: string
  readonly files: readonly { readonly file: string }[]
  readonly report?: Readonly<Record<string, unknown>>
}

export function readSnpVectors(): readonly SnpVector[] {
  if (skipVectors !== false) return []
  const folder = resolve(VECTORS, 'snp')
  return readdirSync(folder).map(name => {
    const meta = JSON.parse(readFileSync(resolve(folder, name, 'meta.json'), 'utf8')) as Meta
    return {
      name,
      expectedVerdict: meta.expected_verdict,
      product: meta.product,
      debug: meta.debug,
      suggestedTime: meta.suggested_time === undefined ? null : new Date(meta.suggested_time),
      meta,
      files: new Map(meta.files.map(({ file }) => [file, readFile('snp', name, file)])),
    }
  })
}

export function readSnpVector(name: string): SnpVector {
  const found = readSnpVectors().find(vector => vector.name === name)
  if (found === undefined) throw new Error(`no vector ${name}`)
  return found
}

/** Every VCEK and VLEK of a vector. */
export function leavesOf(vector: SnpVector): readonly Certificate[] {
  return [...vector.files]
    .filter(([file]) => /^v[cl]ek.*\.der$/.test(file))
    .map(([, der]) => parseCertificate(der))
}

export function readAmdCrl(file: string): Crl {
  return parseCrl(readFile('collateral/amd/crl', file))
}

export function readFile(...path: readonly string[]): Uint8Array {
  return new Uint8Array(readFileSync(resolve(VECTORS, ...path)))
}
