// casemate seal: files for an enclave alone, by the owner of the data or by the enclave itself.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import {
  openSealedFile,
  readPlain,
  type SealingPolicy,
  sealToFile,
  type UnsealOptions,
} from '@casemate/enclave'
import type { Answer, Call, Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { notReadable, STDIN } from '../files/input-files.ts'
import { headerJson, headerRows } from '../sealing/header-rows.ts'
import { readImage } from '../sealing/images.ts'
import { startMeter } from '../sealing/meter.ts'
import {
  enclaveParty,
  isOwner,
  needed,
  ownerRoot,
  PARTY_FLAGS,
  POLICIES,
  signerIdentity,
} from '../sealing/parties.ts'
import { BROKER_FLAGS } from '../sealing/roots.ts'
import { listenForStopOrHangUp } from '../terminal/stop-signal.ts'
import { fields } from '../terminal/table.ts'
import { readWord } from '../typed/flag-values.ts'

const SIGNER_FLAGS = ['for-signer', 'product-id', 'svn'] as const

export const SEAL_COMMAND: Command = {
  words: ['seal'],
  summary: 'encrypt a file so that one enclave alone opens it',
  usage: 'INPUT OUTPUT',
  minimum: 1,
  maximum: 2,
  flags: {
    ...PARTY_FLAGS,
    'new-key': { summary: 'make the key file first' },
    'for-signer': { value: 'HEX', summary: 'as the owner, in place of --for: a signer’s enclaves' },
    'product-id': { value: 'N', summary: 'of that signer’s product (default 0)' },
    svn: { value: 'N', summary: 'its oldest security version that may open it (default 0)' },
    policy: {
      value: 'POLICY',
      takes: POLICIES,
      summary: 'mrEnclave (default): exactly this code; mrSigner: newer code too',
    },
    label: { value: 'TEXT', summary: 'kept beside it, readable by everybody, changeable by nobody' },
    inspect: { summary: 'say what INPUT is sealed for; opens nothing' },
    ...BROKER_FLAGS,
  },
  notes: [
    'INPUT may be - for stdin; OUTPUT must not exist, and appears whole or not at all.',
    'The owner of data keeps its key in a file, and stores it in the broker, where a rule releases it to',
    'the enclave alone. Older security versions cannot open what is sealed for newer ones.',
    'An older file that is put back in the place of a newer one opens: sealing does not notice that.',
  ],
  examples: [
    'casemate seal --new-key --key-file data.key --for score.enclave \\\n    genome.vcf genome.sealed',
    'casemate secret put default/key/genome data.key',
    'casemate seal --inspect genome.sealed',
  ],
  run: async call => (call.given('inspect') ? inspect(call) : sealFile(call)),
}

async function sealFile(call: Call): Promise<Answer> {
  const [input = '', output] = call.positionals
  if (output === undefined)
    throw new CliError('argument-missing', 'seal needs OUTPUT', { hint: 'casemate seal INPUT OUTPUT' })
  checkPaths(input, output)
  const stop = listenForStopOrHangUp()
  const meter = startMeter(call.terminal, { verb: 'sealed', total: sizeOf(input) })
  try {
    const { who, policy } = await sealer(call)
    const additionalData = new TextEncoder().encode(call.option('label') ?? '')
    const options = { ...who, policy, additionalData, signal: stop.signal, progress: meter.add }
    const plaintext = input === STDIN ? octetsOf(call.terminal.stdin, stop.signal) : readPlain(input)
    const size = await sealToFile(plaintext, output, options)
    const { handle, header } = await openSealedFile(output)
    await handle.close()
    meter.end()
    return {
      exitCode: 0,
      json: { file: output, size, ...headerJson(header) },
      lines: [`${output}: ${size.toLocaleString('en')} bytes, sealed`, ...fields(headerRows(header), '  ')],
    }
  } finally {
    meter.end()
    stop.release()
  }
}

/** Before a key is made. @throws {CliError} file-not-readable, file-exists, argument-unexpected */
function checkPaths(input: string, output: string): void {
  if (output === STDIN) {
    throw new CliError('argument-unexpected', 'OUTPUT is -, and what is sealed appears whole or not at all', {
      hint: 'name a file; ./- where it is to be called so',
    })
  }
  if (existsSync(output)) throw new CliError('file-exists', `${output} exists, and is not replaced`)
  if (input !== STDIN) checkReadable(input)
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK)
    if (!statSync(path).isDirectory()) return
  } catch (cause) {
    throw notReadable(path, cause)
  }
  throw new CliError('file-not-readable', `${path}: it is a directory`)
}

interface Sealer {
  readonly who: UnsealOptions
  readonly policy: SealingPolicy
}

async function sealer(call: Call): Promise<Sealer> {
  const policy = readWord('policy', call.option('policy'), POLICIES)
  if (!isOwner(call, ['new-key', ...SIGNER_FLAGS])) return { who: await enclaveParty(call, true), policy }
  const signer = call.option('for-signer')
  if (signer === null) {
    const misplaced = SIGNER_FLAGS.find(flag => call.given(flag))
    if (misplaced !== undefined)
      throw new CliError('flag-value-invalid', `--${misplaced} goes with --for-signer`)
    const { identity } = readImage(needed(call, 'for', 'the image, or --for-signer HEX'), call)
    return { who: { identity, root: ownerRoot(call) }, policy }
  }
  if (call.given('for') || call.option('policy') === 'mrEnclave') {
    throw new CliError('flag-value-invalid', '--for-signer excludes --for and --policy mrEnclave')
  }
  const identity = signerIdentity(call, signer)
  return { who: { identity, root: ownerRoot(call) }, policy: 'mrSigner' }
}

async function inspect(call: Call): Promise<Answer> {
  const [input = '', extra] = call.positionals
  if (extra !== undefined) throw new CliError('argument-unexpected', `seal --inspect does not take ${extra}`)
  const { handle, header, state } = await openSealedFile(input)
  await handle.close()
  const size = Number(state.size)
  return {
    exitCode: 0,
    json: { file: input, fileSize: size, verified: false, ...headerJson(header) },
    lines: [
      ...fields([...headerRows(header), ['file', `${size.toLocaleString('en')} bytes`]]),
      'Not verified: whoever opens it does that.',
    ],
  }
}

function sizeOf(input: string): number | null {
  return input === STDIN ? null : (statSync(input, { throwIfNoEntry: false })?.size ?? null)
}

/** Whoever waits for the next octets when the signal comes waits no more. */
async function* octetsOf(stream: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of addAbortSignal(signal, stream))
    yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
}
