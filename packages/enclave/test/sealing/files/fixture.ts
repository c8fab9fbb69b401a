// A directory of sealed files, and who opens them.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type SealOptions, seal, unseal } from '../../../src/sealing/blob.ts'
import type { ResealOptions } from '../../../src/sealing/files/reseal-file.ts'
import type { SealedHeader } from '../../../src/sealing/header.ts'
import type { SealingPolicy } from '../../../src/sealing/identity.ts'
import type { UnsealOptions } from '../../../src/sealing/opening.ts'
import { openBrokerRoot } from '../../../src/sealing/roots.ts'
import { SealStream } from '../../../src/sealing/stream.ts'
import { IDENTITY, ROOT } from '../fixtures.ts'

export const OLD: UnsealOptions = { root: ROOT, identity: IDENTITY }
/** A newer version of the code, under a data key. */
export const NEW: UnsealOptions = {
  root: openBrokerRoot({ path: 'a/b/c', key: Buffer.alloc(32, 9) }),
  identity: { ...IDENTITY, mrEnclave: new Uint8Array(32).fill(0xef), isvSvn: 4 },
}

export const MOVE: ResealOptions = {
  from: OLD,
  to: NEW,
  policy: 'keep',
  signal: null,
  report: () => undefined,
}

export function folder(t: Pick<TestContext, 'after'>): string {
  const path = mkdtempSync(join(tmpdir(), 'enclave-files-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export interface Sample {
  readonly name: string
  readonly form: SealedHeader['form']
  readonly policy: SealingPolicy
  readonly size: number
}

export const SAMPLES: readonly Sample[] = [
  { name: 'blob', form: 'blob', policy: 'mrEnclave', size: 1000 },
  { name: 'empty', form: 'stream', policy: 'mrEnclave', size: 0 },
  { name: 'below/stream', form: 'stream', policy: 'mrSigner', size: 200_000 },
]

export function plaintextOfSample({ name, size }: Sample): Buffer {
  return Buffer.alloc(size, createHash('sha256').update(name).digest())
}

export async function sealSample(sample: Sample, who: UnsealOptions): Promise<Uint8Array> {
  const options: SealOptions = { ...who, policy: sample.policy, additionalData: Buffer.from(sample.name) }
  const plaintext = plaintextOfSample(sample)
  if (sample.form === 'blob') return seal(plaintext, options)
  return buffer(Readable.from([plaintext], { objectMode: false }).pipe(new SealStream(options)))
}

/** Under the old root, all samples. */
export async function fill(directory: string, samples = SAMPLES): Promise<void> {
  for (const sample of samples) {
    const path = join(directory, sample.name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, await sealSample(sample, OLD), { mode: 0o640 })
  }
}

/** That a file holds its sample; under which root it does. */
export function whereIs(directory: string, sample: Sample): 'old' | 'new' {
  const sealed = readFileSync(join(directory, sample.name))
  const isNew = Buffer.from(sealed.subarray(64, 80)).equals(NEW.root.ids[sample.policy])
  const { plaintext, header } = unseal(sealed, isNew ? NEW : OLD)
  assert.ok(plaintextOfSample(sample).equals(plaintext), sample.name)
  assert.deepEqual(Buffer.from(header.additionalData), Buffer.from(sample.name))
  assert.equal(header.form, sample.form)
  return isNew ? 'new' : 'old'
}

export function namesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(({ name }) => name)
    .toSorted((a, b) => (a < b ? -1 : 1))
}
