// casemate enclave new and key: what a developer starts with.

import { generateKeyPair } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SETTINGS_FILE } from '@casemate/enclave'
import type { Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { notWritable } from '../files/input-files.ts'
import { writeNew } from '../files/output-files.ts'
import { signerOf } from '../images/signing-key.ts'
import { pasted } from '../typed/shell-word.ts'

const generate = promisify(generateKeyPair)
const NAME = /^[A-Za-z][\w-]{0,63}$/

/** In quotes of its own, so that nobody takes the line for an import of this file. */
const SDK = "'casemate'"

const sourceOf = (secret: string): string => `import { secret, text } from ${SDK}

const phrase = text.decode(secret('${secret}'))

export function greet(input: Uint8Array): Uint8Array {
  return text.encode(phrase + ', ' + text.decode(input) + '!')
}
`

/** With short lists in one line, as formatters want them. */
const settingsText = (name: string, secret: string): string => `{
  "name": "${name}",
  "isvProdId": 0,
  "isvSvn": 0,
  "secrets": ["${secret}"]
}
`

export const NEW_COMMAND: Command = {
  words: ['enclave', 'new'],
  summary: 'begin an enclave: a folder with its source and its settings',
  usage: 'NAME',
  minimum: 1,
  maximum: 1,
  flags: {},
  examples: ['casemate enclave new greet'],
  run: async call => {
    const [name = ''] = call.positionals
    if (!NAME.test(name)) {
      throw new CliError('argument-unexpected', `${name} is no name of an enclave`, {
        hint: 'a letter, then at most 63 letters, digits, _ and -',
      })
    }
    const secret = `default/${name}/phrase`
    const files = {
      [join(name, `${name}.ts`)]: sourceOf(secret),
      [join(name, SETTINGS_FILE)]: settingsText(name, secret),
    }
    makeDirectory(name)
    for (const [path, content] of Object.entries(files)) writeNew(path, content, 0o666)
    return {
      exitCode: 0,
      json: { files: Object.keys(files) },
      lines: [...Object.keys(files), `next: ${pasted(`enclave build ${join(name, `${name}.ts`)}`)}`],
    }
  },
}

export const KEY_COMMAND: Command = {
  words: ['enclave', 'key'],
  summary: 'make a signing key for development: RSA-3072, exponent 3',
  usage: 'FILE',
  minimum: 1,
  maximum: 1,
  flags: {},
  notes: [
    'Who holds it can sign as you: what it signs opens what was sealed for its signer.',
    'For production keep the key in an HSM, and sign apart: casemate enclave digest.',
  ],
  examples: ['casemate enclave key dev.pem'],
  run: async call => {
    const [path = ''] = call.positionals
    const making = generate('rsa', { modulusLength: 3072, publicExponent: 3 })
    const { privateKey } = await call.terminal.progress('making the key', making)
    writeNew(path, privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600)
    const signer = signerOf(privateKey)
    return {
      exitCode: 0,
      json: { file: path, signer },
      lines: [`${path}: a signing key, mode 600; its signer (mrSigner) is`, `  ${signer}`],
    }
  },
}

/** @throws {CliError} file-not-writable */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    throw notWritable(path, cause)
  }
}
