// casemate enclave sign; and signing apart, for keys in an HSM or on another machine: digest, then attach.

import { createHash } from 'node:crypto'
import { attachImageSignature, signedBytesOfImage, signImage } from '@casemate/enclave'
import type { Answer, Call, Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes } from '../files/input-files.ts'
import { writeOutput } from '../files/output-files.ts'
import { ANY_IMAGE, parseImageOf, readImageFile } from '../images/image-files.ts'
import { readPublicKey, readSigningKey } from '../images/signing-key.ts'
import { fields } from '../terminal/table.ts'
import { day } from './enclave-inspect.ts'

const DATE_FLAG = {
  date: { value: 'YYYYMMDD', summary: 'the day of signing, which is signed too (default today, UTC)' },
} as const
const OUT_FLAG = { out: { value: 'FILE', summary: 'the signed image (default: in place of IMAGE)' } } as const

export const SIGN_COMMAND: Command = {
  words: ['enclave', 'sign'],
  summary: 'sign an image with a key in a file',
  usage: 'IMAGE',
  minimum: 1,
  maximum: 1,
  flags: {
    key: { value: 'FILE', summary: 'the private key in PEM, RSA-3072 with exponent 3' },
    ...DATE_FLAG,
    ...OUT_FLAG,
  },
  notes: ['A signature that IMAGE has already is replaced. The same key and day give the same bytes.'],
  examples: ['casemate enclave sign greet.enclave --key dev.pem'],
  run: async call => {
    const [file = ''] = call.positionals
    const privateKey = readSigningKey(needed(call, 'key', 'casemate enclave key dev.pem makes one'))
    return signed(call, signImage(readWhole(file), { ...dateOf(call), privateKey }))
  },
}

export const DIGEST_COMMAND: Command = {
  words: ['enclave', 'digest'],
  summary: 'say what of an image is to be signed, for a key that is elsewhere',
  usage: 'IMAGE',
  minimum: 1,
  maximum: 1,
  flags: {
    ...DATE_FLAG,
    out: { value: 'FILE', summary: 'write the 256 bytes to sign' },
  },
  notes: [
    'RSA PKCS #1 v1.5 with SHA-256 over these 256 bytes, then casemate enclave attach of the same day.',
  ],
  examples: [
    'casemate enclave digest greet.enclave --date 20261125 --out to-sign.bin',
    'openssl dgst -sha256 -sign key.pem -out signature.bin to-sign.bin',
  ],
  run: async call => {
    const [file = ''] = call.positionals
    const image = readWhole(file)
    const { date } = dateOf(call)
    const bytes = signedBytesOfImage(image, { date })
    const out = call.option('out')
    if (out !== null) writeOutput(out, bytes, { what: 'made by this command', start: bytes.subarray(0, 16) })
    const measurement = Buffer.from(parseImageOf(file, image).mrEnclave).toString('hex')
    const digest = createHash('sha256').update(bytes).digest('hex')
    const rows = [
      ['measurement', measurement],
      ['date', date],
      ['SHA-256 to sign', digest],
    ] as const
    const written = out === null ? [] : [`${out}: the ${bytes.length} bytes that are hashed and signed`]
    const json = { measurement, date, digest, bytes: Buffer.from(bytes).toString('base64') }
    return { exitCode: 0, json, lines: [...fields(rows), ...written] }
  },
}

export const ATTACH_COMMAND: Command = {
  words: ['enclave', 'attach'],
  summary: 'put a signature that was made elsewhere on an image',
  usage: 'IMAGE',
  minimum: 1,
  maximum: 1,
  flags: {
    'public-key': { value: 'FILE', summary: 'the signer’s public key in PEM' },
    signature: { value: 'FILE', summary: '384 bytes, as openssl and HSMs write them' },
    ...DATE_FLAG,
    ...OUT_FLAG,
  },
  examples: [
    'openssl rsa -in key.pem -pubout -out public.pem',
    'casemate enclave attach greet.enclave --public-key public.pem \\\n    --signature signature.bin --date 20261125',
  ],
  run: async call => {
    const [file = ''] = call.positionals
    const publicKey = readPublicKey(needed(call, 'public-key', 'openssl rsa -in key.pem -pubout'))
    const signature = readBytes(needed(call, 'signature', 'casemate enclave digest --help'))
    return signed(call, attachImageSignature(readWhole(file), { ...dateOf(call), publicKey, signature }))
  },
}

function signed(call: Call, image: Uint8Array): Answer {
  const [file = ''] = call.positionals
  const { mrEnclave, sigstruct } = parseImageOf(file, image)
  if (sigstruct === null) throw new TypeError('the image was signed and has no signature')
  const out = call.option('out') ?? file
  writeOutput(out, image, ANY_IMAGE)
  const measurement = Buffer.from(mrEnclave).toString('hex')
  const signer = Buffer.from(sigstruct.mrSigner).toString('hex')
  const rows = [
    ['measurement', measurement],
    ['signer', signer],
    ['signed on', day(sigstruct.date)],
  ] as const
  return {
    exitCode: 0,
    json: { file: out, measurement, signer, date: sigstruct.date },
    lines: [`${out}: signed`, ...fields(rows, '  ')],
  }
}

/** Of one that was cut off, too, the name is said. */
function readWhole(file: string): Uint8Array {
  const bytes = readImageFile(file)
  parseImageOf(file, bytes)
  return bytes
}

function dateOf(call: Call): { readonly date: string } {
  const today = call.terminal.now().toISOString().slice(0, 10).replaceAll('-', '')
  return { date: call.option('date') ?? today }
}

/** A flag that there is no sensible default for. */
function needed(call: Call, flag: string, hint: string): string {
  const value = call.option(flag)
  if (value !== null) return value
  throw new CliError('argument-missing', `--${flag} FILE is missing`, { hint })
}
