// Keys that sign enclaves, in PEM files: private ones for their owner alone.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { statSync } from 'node:fs'
import { modulusOf } from '@casemate/enclave'
import { CliError } from '../failure/cli-error.ts'
import { readBytes } from '../files/input-files.ts'
import { shellWord } from '../typed/shell-word.ts'

/** @throws {CliError} file-not-readable, key-unsafe, file-malformed */
export function readSigningKey(path: string): KeyObject {
  const pem = readBytes(path)
  // A key that others can read is told before one that does not open; what is no private key, before both.
  const { label, hint } = pemOf(path, pem)
  if (!label.endsWith(PRIVATE)) {
    throw new CliError('file-malformed', `${path} holds ${label || 'no PEM'}, want a private key in PEM`, {
      hint,
    })
  }
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new CliError('key-unsafe', `${path} has mode ${(mode & 0o777).toString(8)}, want 600`, {
      hint: `chmod 600 ${shellWord(path)}, and think about who may have read it`,
    })
  }
  return parseKey(path, pem, () => createPrivateKey(Buffer.from(pem)))
}

/** Of a public key, or of the public half of a private one. @throws {CliError} file-not-readable, file-malformed */
export function readPublicKey(path: string): KeyObject {
  const pem = readBytes(path)
  return parseKey(path, pem, () => createPublicKey(Buffer.from(pem)))
}

/** MRSIGNER in hex. @throws {EnclaveError} invalid-key */
export function signerOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256').update(modulusOf(publicKey)).digest('hex')
}

function parseKey(path: string, pem: Uint8Array, parse: () => KeyObject): KeyObject {
  try {
    return parse()
  } catch (cause) {
    const { hint, isLocked } = pemOf(path, pem)
    const why = isLocked ? 'is protected by a passphrase, which is not asked for here' : 'holds no key in PEM'
    throw new CliError('file-malformed', `${path} ${why}`, { hint, cause })
  }
}

const PRIVATE = 'PRIVATE KEY'

interface Pem {
  /** Of its first part; empty if there is none. */
  readonly label: string
  readonly isLocked: boolean
  /** How to come to a key that is of use. */
  readonly hint: string
}

function pemOf(path: string, bytes: Uint8Array): Pem {
  const text = Buffer.from(bytes).toString('latin1')
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----/m.exec(text)?.[1] ?? ''
  const isLocked = label.startsWith('ENCRYPTED') || text.includes('Proc-Type: 4,ENCRYPTED')
  return { label, isLocked, hint: hintOf(path, { isLocked, isDer: bytes[0] === 0x30 }) }
}

function hintOf(path: string, { isLocked, isDer }: { isLocked: boolean; isDer: boolean }): string {
  if (isLocked)
    return 'sign with it elsewhere: casemate enclave digest, openssl dgst -sha256 -sign, then attach'
  if (isDer) return `is it in DER? openssl pkey -inform DER -in ${shellWord(path)} -out key.pem`
  return 'casemate enclave key makes one; a key elsewhere signs what casemate enclave digest gives'
}
