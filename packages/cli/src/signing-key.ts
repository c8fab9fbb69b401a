// Keys that sign enclaves, in PEM files: private ones for their owner alone.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { statSync } from 'node:fs'
import { modulusOf } from '@casemate/enclave'
import { CliError } from './failure.ts'
import { readBytes } from './files.ts'

/** @throws {CliError} file-not-readable, key-unsafe, file-malformed */
export function readSigningKey(path: string): KeyObject {
  const pem = readBytes(path)
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new CliError('key-unsafe', `${path} has mode ${(mode & 0o777).toString(8)}, want 600`, {
      hint: `chmod 600 ${path}, and think about who may have read it`,
    })
  }
  return parseKey(path, () => createPrivateKey(Buffer.from(pem)))
}

/** Of a public key, or of the public half of a private one. @throws {CliError} file-not-readable, file-malformed */
export function readPublicKey(path: string): KeyObject {
  const pem = readBytes(path)
  return parseKey(path, () => createPublicKey(Buffer.from(pem)))
}

/** MRSIGNER in hex. @throws {EnclaveError} invalid-key */
export function signerOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256').update(modulusOf(publicKey)).digest('hex')
}

function parseKey(path: string, parse: () => KeyObject): KeyObject {
  try {
    return parse()
  } catch (cause) {
    throw new CliError('file-malformed', `${path} is no key in PEM that can be read without a passphrase`, {
      hint: 'casemate enclave key makes one; a key elsewhere signs what casemate enclave digest gives',
      cause,
    })
  }
}
