// The host of an enclave: attests to a broker for the secrets that the image declares, starts it, and calls it once or
// lets others in. The enclave's statement goes with the evidence, so that others see which image runs.

import type { Secrets } from '@casemate/agent'
import { kbsAttester } from '@casemate/enclave'
import { nearest } from '@casemate/evidence'
import { attestWith, openEnclaveDriver } from '../attesting/attester.ts'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { parseImageOf, readImageFile } from '../images/image-files.ts'
import { answerOf, inputOf } from './input.ts'
import { listenForCalls, refuseListening } from './listen.ts'
import { type ReadImage, sourcesOf, startEnclave, statementOf } from './start.ts'

/** The `enclave run` command. */
export async function runEnclave(call: Call): Promise<Answer> {
  const [file = ''] = call.positionals
  const bytes = readImageFile(file)
  const read = { bytes, image: parseImageOf(file, bytes) }
  if (call.given('listen')) return listenForCalls(call, read)
  refuseListening(call)
  const name = functionOf(call, read.image.manifest.exports)
  const input = await inputOf(call)
  const enclave = await startEnclave(call, read, await secretsOf(call, read))
  try {
    return answerOf(await enclave.call(name, input))
  } finally {
    await enclave.close()
  }
}

/** For one call: what the broker releases now. @throws what an attestation may */
async function secretsOf(call: Call, { image }: ReadImage): Promise<Secrets> {
  const { files, released } = sourcesOf(call, image)
  if (released.length === 0) return files
  const statement = statementOf(image)
  const attester = kbsAttester(await openEnclaveDriver(call, statement), statement)
  const session = await attestWith(attester, call, 'P-256')
  const secrets = new Map(files)
  for (const path of released) secrets.set(path, await session.getSecret(path))
  return secrets
}

/** @throws {CliError} argument-missing, flag-value-invalid */
function functionOf(call: Call, functions: readonly string[]): string {
  const typed = call.option('call')
  const [only] = functions
  const all = `one of ${functions.join(', ')}`
  if (typed === null && only !== undefined && functions.length === 1) return only
  if (typed === null) throw new CliError('argument-missing', '--call NAME is missing', { hint: all })
  if (functions.includes(typed)) return typed
  const near = nearest(typed, functions)
  throw new CliError('flag-value-invalid', `the enclave has no function ${typed}`, {
    hint: near === null ? all : `did you mean: --call ${near}`,
  })
}
