// The key-encryption key from a key file: wraps with AES-256-GCM, authenticating the place of the wrapped key and
// the version that wrapped it.

import { createSecretKey, type KeyObject, randomBytes, scrypt } from 'node:crypto'
import { StartError } from '../errors.ts'
import type { Redacted } from '../secrets/redacted.ts'
import type { WrappedKey } from '../store/store.ts'
import { seal, unseal } from './aead.ts'
import { type KeyFileContent, type KeyProtection, readKeyFile, writeKeyFile } from './key-file.ts'
import type { KeyEncryption } from './keys.ts'

/** 128 MiB and about half a second: what OWASP asks of scrypt, at the parameters that its table lists first. */
const SCRYPT = { logN: 17, r: 8, p: 1 } as const

const SALT_BYTES = 16
const KEY_BYTES = 32

export interface KeyFileOptions {
  readonly path: string
  /** Null: the file's mode is its only protection. */
  readonly passphrase: Redacted<string> | null
  /** Whether a missing file is made; false where something is wrapped already and only the old key would help. */
  readonly mayCreate: boolean
}

/** @throws {StartError} `kek-missing`, `kek-unsafe`, `kek-damaged`, `kek-passphrase-missing`, `kek-passphrase-wrong` */
export async function openFileKeyEncryption(options: KeyFileOptions): Promise<KeyEncryption> {
  const content = readKeyFile(options.path)
  if (content === null) return createFile(options)
  const protector = await protectorOf(content.protection, options)
  const keys = new Map<number, KeyObject>()
  for (const { version, key } of content.versions) {
    keys.set(version, openVersion(protector, version, Buffer.from(key, 'base64')))
  }
  if (!keys.has(content.current))
    throw new StartError('kek-damaged', 'the current version is not in the key file')
  return new FileKeyEncryption(
    { path: options.path, protection: content.protection, protector },
    keys,
    content.current,
  )
}

async function createFile(options: KeyFileOptions): Promise<KeyEncryption> {
  if (!options.mayCreate) {
    throw new StartError('kek-missing', `there is no key-encryption key at ${options.path}`, {
      hint: 'secrets are wrapped by it: restore the file from a backup',
    })
  }
  const salt = randomBytes(SALT_BYTES).toString('base64')
  const protection: KeyProtection =
    options.passphrase === null ? { kind: 'none' } : { kind: 'scrypt', salt, ...SCRYPT }
  const protector = await protectorOf(protection, options)
  const created = new FileKeyEncryption({ path: options.path, protection, protector }, new Map(), 0)
  await created.addVersion()
  return created
}

async function protectorOf(protection: KeyProtection, options: KeyFileOptions): Promise<KeyObject | null> {
  if (protection.kind === 'none') {
    if (options.passphrase === null) return null
    throw new StartError(
      'config-conflict',
      `${options.path} is not protected by a passphrase, but one is configured`,
      {
        hint: 'set kekSource to file',
      },
    )
  }
  if (options.passphrase === null) {
    throw new StartError('kek-passphrase-missing', `${options.path} is protected by a passphrase`, {
      hint: 'set kekSource to passphrase and CASEMATE_KEK_PASSPHRASE or kekPassphraseFile',
    })
  }
  return deriveKey(options.passphrase, protection)
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

function openVersion(protector: KeyObject | null, version: number, stored: Buffer): KeyObject {
  const key = protector === null ? stored : unsealVersion(protector, version, stored)
  if (key.length !== KEY_BYTES)
    throw new StartError('kek-damaged', `version ${version} is ${key.length} bytes, want 32`)
  const opened = createSecretKey(key)
  key.fill(0)
  return opened
}

function unsealVersion(protector: KeyObject, version: number, stored: Buffer): Uint8Array {
  try {
    return unseal(protector, stored, versionContext(version))
  } catch (error) {
    throw new StartError('kek-passphrase-wrong', 'the passphrase does not open the key-encryption key', {
      cause: error,
    })
  }
}

interface KeyFile {
  readonly path: string
  readonly protection: KeyProtection
  readonly protector: KeyObject | null
}

class FileKeyEncryption implements KeyEncryption {
  readonly #file: KeyFile
  readonly #keys: Map<number, KeyObject>
  #current: number

  constructor(file: KeyFile, keys: Map<number, KeyObject>, current: number) {
    this.#file = file
    this.#keys = keys
    this.#current = current
  }

  get currentVersion(): number {
    return this.#current
  }

  get versions(): readonly number[] {
    return [...this.#keys.keys()]
  }

  get nextVersion(): number {
    return Math.max(0, ...this.#keys.keys()) + 1
  }

  requireVersions(versions: readonly number[]): void {
    for (const version of versions) this.#key(version)
  }

  async wrap(plaintext: Uint8Array, context: string): Promise<WrappedKey> {
    const kekVersion = this.#current
    return { kekVersion, bytes: seal(this.#key(kekVersion), plaintext, wrapAad(kekVersion, context)) }
  }

  async unwrap({ kekVersion, bytes }: WrappedKey, context: string): Promise<Uint8Array> {
    const key = this.#key(kekVersion)
    try {
      return unseal(key, bytes, wrapAad(kekVersion, context))
    } catch (error) {
      throw new StartError(
        'kek-damaged',
        'a wrapped key does not authenticate under the key-encryption key',
        {
          hint: 'database and key file do not belong together, or one was changed',
          cause: error,
        },
      )
    }
  }

  async addVersion(): Promise<number> {
    const version = this.nextVersion
    const key = randomBytes(KEY_BYTES)
    const keys = new Map(this.#keys).set(version, createSecretKey(key))
    key.fill(0)
    this.#write(keys, version)
    this.#keys.set(version, this.#required(keys, version))
    this.#current = version
    return version
  }

  async retireVersion(version: number): Promise<void> {
    if (version === this.#current) throw new TypeError('the current version cannot be retired')
    const keys = new Map(this.#keys)
    keys.delete(version)
    this.#write(keys, this.#current)
    this.#keys.delete(version)
  }

  #key(version: number): KeyObject {
    return this.#required(this.#keys, version)
  }

  #required(keys: ReadonlyMap<number, KeyObject>, version: number): KeyObject {
    const key = keys.get(version)
    if (key !== undefined) return key
    const there = [...keys.keys()].join(', ')
    throw new StartError(
      'kek-missing',
      `version ${version} of the key-encryption key is not in ${this.#file.path}, which has ${there}`,
      {
        hint: 'database and key file are of different times: restore the key file of a later backup; it has all versions that were not retired',
      },
    )
  }

  #write(keys: ReadonlyMap<number, KeyObject>, current: number): void {
    const { path, protection, protector } = this.#file
    const versions: KeyFileContent['versions'] = []
    for (const [version, key] of keys) {
      const plain = key.export()
      const stored = protector === null ? plain : seal(protector, plain, versionContext(version))
      versions.push({ version, key: Buffer.from(stored).toString('base64') })
      plain.fill(0)
    }
    writeKeyFile(path, { format: 'casemate-kek/1', protection, current, versions })
  }
}

function wrapAad(kekVersion: number, context: string): string {
  return `casemate-wrap/1 ${kekVersion} ${context}`
}
