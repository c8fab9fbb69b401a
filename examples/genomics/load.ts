// On the machine that runs the enclave: hands it what was sealed for it, in the order that it wants. Whoever does this
// needs no key and sees no genotype.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Enclave } from '@casemate/enclave'
import type { SealedCohort } from './biobank.ts'
import { explained } from './statuses.ts'

const SUFFIX = '.sealed'

/** @throws {EnclaveError} call-failed with a status of README.md */
export async function loadCohort(
  enclave: Pick<Enclave, 'call'>,
  { score, genotypes, consents }: SealedCohort,
): Promise<void> {
  await step(enclave, 'loadScore', score)
  for (const part of genotypes) await step(enclave, 'loadGenotypes', part)
  await step(enclave, 'loadConsents', consents)
  await step(enclave, 'open', new Uint8Array())
}

async function step(enclave: Pick<Enclave, 'call'>, name: string, input: Uint8Array): Promise<void> {
  try {
    await enclave.call(name, input)
  } catch (error) {
    throw explained(error, name)
  }
}

export function writeCohort(directory: string, { score, genotypes, consents }: SealedCohort): void {
  mkdirSync(directory, { recursive: true })
  const write = (name: string, bytes: Uint8Array): void =>
    writeFileSync(join(directory, `${name}${SUFFIX}`), bytes)
  write('score', score)
  write('consents', consents)
  for (const [index, part] of genotypes.entries()) {
    write(`genotypes-${String(index + 1).padStart(6, '0')}`, part)
  }
}

export function readCohort(directory: string): SealedCohort {
  const read = (name: string): Uint8Array => readFileSync(join(directory, name))
  const parts = readdirSync(directory).filter(name => name.startsWith('genotypes-') && name.endsWith(SUFFIX))
  return {
    score: read(`score${SUFFIX}`),
    consents: read(`consents${SUFFIX}`),
    genotypes: parts.sort().map(read),
  }
}
