// The input of an enclave as it is given on the command line, and its answer.

import type { Answer, Call, Flag } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readInput } from '../files/input-files.ts'

export const INPUT_FLAGS = {
  input: { value: 'TEXT', summary: 'what the function is given' },
  'input-file': { value: 'FILE', summary: 'the same from a file, or - for stdin' },
} as const satisfies Record<string, Flag>

/** More than the memory of most enclaves; theirs decides. */
const INPUT_LIMIT_BYTES = 1 << 30

/** @throws {CliError} argument-missing, flag-value-invalid, file-not-readable */
export async function inputOf(call: Call): Promise<Uint8Array> {
  const [text, file] = [call.option('input'), call.option('input-file')]
  if (text !== null && file !== null) {
    throw new CliError('flag-value-invalid', '--input and --input-file exclude each other')
  }
  if (file !== null) return readInput(file, call, INPUT_LIMIT_BYTES)
  if (text !== null) return new TextEncoder().encode(text)
  throw new CliError('argument-missing', '--input TEXT is missing', {
    hint: 'or --input-file FILE, - for stdin',
  })
}

/** The bytes for stdout; in JSON as base64, and as text if they are that. */
export function answerOf(output: Uint8Array, more: Readonly<Record<string, unknown>> = {}): Answer {
  const bytes = Buffer.from(output)
  const text = bytes.toString('utf8')
  const isText = Buffer.from(text).equals(bytes)
  const json = { output: bytes.toString('base64'), text: isText ? text : null, ...more }
  return { exitCode: 0, json, lines: [], bytes: output }
}
