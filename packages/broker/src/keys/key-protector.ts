// The protection of the versions in a key file: nothing but the file's mode, or a passphrase through scrypt (RFC 7914) and
// AES-256-GCM, which authenticates the number of the version.

import { createSecretKey, type KeyObject, randomBytes, scrypt } from 'node:crypto'
import { StartError } from '../errors.ts'
import type { Redacted } from '../redacted.ts'
import { seal, unseal } from './aead.ts'
import type { KeyProtection } from './key-file.ts'

/** 128 MiB and about half a second: what OWASP asks of scrypt, at the parameters that its table lists first. */
const SCRYPT = { logN: 17, r: 8, p: 1 } as const

const SALT_BYTES = 16
const KEY_BYTES = 32

export interface KeyProtector {
  readonly protection: KeyProtection
  /** Null where there is no passphrase. */
  readonly key: KeyObject | null
}

/** For a file that is to be written; null: its mode is its only protection. */
export async function newProtector(passphrase: Redacted<string> | null): Promise<KeyProtector> {
  if (passphrase === null) return { protection: { kind: 'none' }, key: null }
  const salt = randomBytes(SALT_BYTES).toString('base64')
  const protection = { kind: 'scrypt', salt, ...SCRYPT } as const
  return { protection, key: await deriveKey(passphrase, protection) }
}

/**
 * Of the file at `path`, which says how it is protected.
 * @throws {StartError} `config-conflict`, `kek-passphrase-missing` where it is protected otherwise than configured
 */
export async function openProtector(
  path: string,
  protection: KeyProtection,
  passphrase: Redacted<string> | null,
): Promise<KeyProtector> {
  if (protection.kind === 'none') {
    if (passphrase === null) return { protection, key: null }
    throw new StartError(
      'config-conflict',
      `${path} is not protected by a passphrase, but one is configured`,
      {
        hint: 'set kekSource to file; casemate key protect passphrase then puts it under one',
      },
    )
  }
  if (passphrase === null) {
    throw new StartError('kek-passphrase-missing', `${path} is protected by a passphrase`, {
      hint: 'set kekSource to passphrase and CASEMATE_KEK_PASSPHRASE or kekPassphraseFile',
    })
  }
  return { protection, key: await deriveKey(passphrase, protection) }
}

function deriveKey(
  passphrase: Redacted<string>,
  { salt, logN, r, p }: Extract<KeyProtection, { kind: 'scrypt' }>,
): Promise<KeyObject> {
  const N = 2 ** logN
  const cost = { N, r, p, maxmem: 129 * N * r * p }
  return new Promise((resolve, reject) => {
    scrypt(
      passphrase.reveal().normalize('NFC'),
      Buffer.from(salt, 'base64'),
      KEY_BYTES,
      cost,
      (error, key) => {
        if (error !== null) return reject(error)
        resolve(createSecretKey(key))
        key.fill(0)
      },
    )
  })
}

function versionContext(version: number): string {
  return `casemate-kek/1 ${version}`
}

/** As it stands in the file. */
export function protectVersion({ key }: KeyProtector, version: number, material: KeyObject): string {
  const plain = material.export()
  const stored = key === null ? plain : seal(key, plain, versionContext(version))
  const text = Buffer.from(stored).toString('base64')
  plain.fill(0)
  return text
}

/** @throws {StartError} `kek-passphrase-wrong`, `kek-damaged` */
export function openVersion({ key }: KeyProtector, version: number, text: string): KeyObject {
  const stored = Buffer.from(text, 'base64')
  const plain = key === null ? stored : unsealVersion(key, version, stored)
  if (plain.length !== KEY_BYTES)
    throw new StartError('kek-damaged', `version ${version} is ${plain.length} bytes, want 32`)
  const opened = createSecretKey(plain)
  plain.fill(0)
  return opened
}

function unsealVersion(key: KeyObject, version: number, stored: Buffer): Uint8Array {
  try {
    return unseal(key, stored, versionContext(version))
  } catch (cause) {
    throw new StartError('kek-passphrase-wrong', 'the passphrase does not open the key-encryption key', {
      hint: 'a key file opens with the passphrase that it was written under: one from a backup, with that of its time',
      cause,
    })
  }
}

/** A fresh version. */
export function newVersion(): KeyObject {
  const material = randomBytes(KEY_BYTES)
  const key = createSecretKey(material)
  material.fill(0)
  return key
}
