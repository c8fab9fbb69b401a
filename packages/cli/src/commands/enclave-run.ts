// casemate enclave run: starts an image here, on a platform that proves nothing about hardware, and calls it.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  Enclave,
  type EnclavePlatform,
  openSimulatedRoot,
  parseImage,
  type SealingRoot,
} from '@casemate/enclave'
import type { Answer, Call, Command } from '../command.ts'
import { DEFAULT_DATA_DIRECTORY } from '../data-directory.ts'
import { CliError } from '../failure.ts'
import { IMAGE_LIMIT_BYTES, readBytes, readInput } from '../files.ts'
import { nearest } from '../nearest.ts'

const SEALING_IMPORTS = ['casemate.seal', 'casemate.unseal']
const SEALING_ROOT_FILE = 'sealing-root'

export const RUN_COMMAND: Command = {
  words: ['enclave', 'run'],
  summary: 'run an image on this machine, and call it',
  usage: 'IMAGE',
  minimum: 1,
  maximum: 1,
  flags: {
    call: { value: 'NAME', summary: 'the function to call (default: the only one)' },
    input: { value: 'TEXT', summary: 'what it is given' },
    'input-file': { value: 'FILE', summary: 'the same from a file, or - for stdin' },
    secret: {
      value: 'PATH=FILE',
      summary: 'a secret that it declares, from a file, for a try',
      multiple: true,
    },
    signer: { value: 'HEX', summary: 'refuse an image that is not of this signer' },
    measurement: { value: 'HEX', summary: 'refuse any other measurement' },
    debug: { summary: 'run a debug image; without this, only production images run' },
  },
  notes: [
    'The answer goes to stdout as it is, and what the code logs to stderr.',
    `What it seals opens here alone: the root is ${DEFAULT_DATA_DIRECTORY}/${SEALING_ROOT_FILE}, which no hardware protects.`,
  ],
  examples: ['casemate enclave run greet.enclave --input Zoë'],
  run: async call => {
    const [file = ''] = call.positionals
    const image = readBytes(file, IMAGE_LIMIT_BYTES)
    const enclave = await startEnclave(call, image, secretsOf(call))
    try {
      return await callOnce(call, enclave)
    } finally {
      await enclave.close()
    }
  },
}

/** Starts it with the demands that were typed. @throws {EnclaveError} with the code of the first check that fails */
async function startEnclave(
  call: Call,
  image: Uint8Array,
  secrets: EnclavePlatform['secrets'],
): Promise<Enclave> {
  const { manifest } = parseImage(image)
  const seals = SEALING_IMPORTS.some(name => manifest.imports.includes(name))
  const signer = call.option('signer')
  return Enclave.create(image, {
    platform: {
      sealing: seals ? sealingRoot(call) : null,
      secrets,
      log: ({ text }) => call.terminal.note(`log: ${text}`),
      report: event => call.terminal.note(`event: ${JSON.stringify(event)}`),
    },
    debug: call.given('debug'),
    signers: signer === null ? 'any' : [signer.toLowerCase()],
    measurement: call.option('measurement')?.toLowerCase() ?? 'any',
  })
}

function sealingRoot(call: Call): SealingRoot {
  const directory = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return openSimulatedRoot({ path: join(directory, SEALING_ROOT_FILE) })
}

async function callOnce(call: Call, enclave: Enclave): Promise<Answer> {
  const name = functionOf(call, enclave.manifest.exports)
  const output = await enclave.call(name, await inputOf(call))
  return { exitCode: 0, json: outputJson(output), lines: [], bytes: output }
}

/** An answer in JSON: base64, and as text where it is that. */
export function outputJson(output: Uint8Array): Record<string, unknown> {
  const bytes = Buffer.from(output)
  const text = bytes.toString('utf8')
  const isText = Buffer.from(text).equals(bytes)
  return { output: bytes.toString('base64'), text: isText ? text : null }
}

/** @throws {CliError} argument-missing, flag-value-invalid */
function functionOf(call: Call, functions: readonly string[]): string {
  const typed = call.option('call')
  const [only] = functions
  if (typed === null && only !== undefined && functions.length === 1) return only
  if (typed === null) {
    throw new CliError('argument-missing', '--call NAME is missing', {
      hint: `one of ${functions.join(', ')}`,
    })
  }
  if (functions.includes(typed)) return typed
  const near = nearest(typed, functions)
  throw new CliError('flag-value-invalid', `the enclave has no function ${typed}`, {
    hint: near === null ? `one of ${functions.join(', ')}` : `did you mean: --call ${near}`,
  })
}

/** @throws {CliError} argument-missing, flag-value-invalid, file-not-readable */
export async function inputOf(call: Call): Promise<Uint8Array> {
  const [text, file] = [call.option('input'), call.option('input-file')]
  if (text !== null && file !== null) {
    throw new CliError('flag-value-invalid', '--input and --input-file exclude each other')
  }
  if (file !== null) return readInput(file, call)
  if (text !== null) return new TextEncoder().encode(text)
  throw new CliError('argument-missing', '--input TEXT is missing', {
    hint: 'or --input-file FILE, - for stdin',
  })
}

function secretsOf(call: Call): EnclavePlatform['secrets'] {
  return new Map(
    call.options('secret').map(typed => {
      const [, path, file] = /^([^=]+)=(.+)$/s.exec(typed) ?? []
      if (path === undefined || file === undefined) {
        throw new CliError('flag-value-invalid', `--secret is ${typed}, want PATH=FILE`)
      }
      return [path, readBytes(file)] as const
    }),
  )
}
