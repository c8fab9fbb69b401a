// The key-encryption key from a key file: wraps with AES-256-GCM, authenticating the place of the wrapped key and
// the version that wrapped it.

import type { KeyObject } from 'node:crypto'
import { StartError } from '../errors.ts'
import type { Redacted } from '../redacted.ts'
import type { WrappedKey } from '../store/store.ts'
import { type KeyFileContent, readKeyFile } from './key-file.ts'
import { draftKeyFile, findLeftover, type KeyFileDraft, removeLeftover } from './key-file-draft.ts'
import { KeyFileWatch } from './key-file-watch.ts'
import {
  type KeyProtector,
  newProtector,
  newVersion,
  openProtector,
  openVersion,
  protectVersion,
} from './key-protector.ts'
import { unwrapUnder, wrapUnder } from './key-wrap.ts'
import type { KeyEncryption } from './keys.ts'

export interface KeyFileOptions {
  readonly path: string
  /** Null: the file's mode is its only protection. */
  readonly passphrase: Redacted<string> | null
  /** Whether a missing file is made; false where something is wrapped already and only the old key would help. */
  readonly mayCreate: boolean
}

/** @throws {StartError} `kek-missing`, `kek-unsafe`, `kek-damaged`, `kek-passphrase-missing`, `kek-passphrase-wrong` */
export async function openFileKeyEncryption(options: KeyFileOptions): Promise<KeyEncryption> {
  const { path, passphrase } = options
  const read = readKeyFile(path)
  if (read === null) return createFile(options)
  const { content, text } = read
  const protector = await openProtector(path, content.protection, passphrase)
  const keys = openVersions(protector, content)
  removeLeftover(path)
  return new FileKeyEncryption(
    { path, protector, watch: new KeyFileWatch(path, text) },
    keys,
    content.current,
  )
}

type Versions = ReadonlyMap<number, KeyObject>

function openVersions(protector: KeyProtector, { current, versions }: KeyFileContent): Versions {
  const keys = new Map<number, KeyObject>()
  const closed: { readonly version: number; readonly error: unknown }[] = []
  for (const { version, key } of versions) {
    try {
      keys.set(version, openVersion(protector, version, key))
    } catch (error) {
      closed.push({ version, error })
    }
  }
  const [first] = closed
  if (first !== undefined) throw keys.size === 0 ? first.error : damagedVersion(first.version, first.error)
  if (keys.has(current)) return keys
  throw new StartError('kek-damaged', 'the current version is not in the key file')
}

/** A passphrase that opens one version is not wrong. */
function damagedVersion(version: number, cause: unknown): StartError {
  return new StartError('kek-damaged', `version ${version} in the key file does not open, and others do`, {
    hint: 'restore the key file from a backup',
    cause,
  })
}

async function createFile({ path, passphrase, mayCreate }: KeyFileOptions): Promise<KeyEncryption> {
  if (!mayCreate) {
    const leftover = findLeftover(path)
    throw new StartError('kek-missing', `there is no key-encryption key at ${path}`, {
      hint:
        leftover === null
          ? 'secrets are wrapped by it: restore the file from a backup'
          : `secrets are wrapped by it: restore the file from a backup; ${leftover} is what a write that was cut off left`,
    })
  }
  const protector = await newProtector(passphrase)
  const created = new FileKeyEncryption(
    { path, protector, watch: new KeyFileWatch(path, null) },
    new Map(),
    0,
  )
  await created.addVersion()
  return created
}

interface KeyFile {
  readonly path: string
  readonly protector: KeyProtector
  readonly watch: KeyFileWatch
}

class FileKeyEncryption implements KeyEncryption {
  #file: KeyFile
  #keys: Versions
  #current: number

  constructor(file: KeyFile, keys: Versions, current: number) {
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

  assertKept(): void {
    this.#file.watch.assertKept()
  }

  assertReplaceable(): void {
    this.#file.watch.assertReplaceable()
  }

  async wrap(plaintext: Uint8Array, context: string): Promise<WrappedKey> {
    this.assertKept()
    const kekVersion = this.#current
    return wrapUnder({ version: kekVersion, key: this.#key(kekVersion) }, plaintext, context)
  }

  async unwrap(wrapped: WrappedKey, context: string): Promise<Uint8Array> {
    return unwrapUnder(this.#key(wrapped.kekVersion), wrapped, context)
  }

  copy(version: number): Uint8Array {
    return this.#key(version).export()
  }

  async addVersion(): Promise<number> {
    const version = this.nextVersion
    const keys = new Map(this.#keys).set(version, newVersion())
    this.#write(keys, version)
    this.#keys = keys
    this.#current = version
    return version
  }

  async retireVersion(version: number): Promise<void> {
    if (version === this.#current) throw new TypeError('the current version cannot be retired')
    const keys = new Map(this.#keys)
    keys.delete(version)
    this.#write(keys, this.#current)
    this.#keys = keys
  }

  async protect(passphrase: Redacted<string> | null): Promise<void> {
    const { path, watch } = this.#file
    const protector = await newProtector(passphrase)
    const draft = draftKeyFile(path, contentOf(protector, this.#keys, this.#current))
    try {
      await this.#requireSame(draft.path, passphrase)
    } catch (error) {
      draft.discard()
      throw error
    }
    this.#commit(draft)
    this.#file = { path, protector, watch }
  }

  #write(keys: Versions, current: number): void {
    const { path, protector } = this.#file
    this.#commit(draftKeyFile(path, contentOf(protector, keys, current)))
  }

  #commit(draft: KeyFileDraft): void {
    this.#file.watch.during(draft.text, () => draft.commit())
  }

  /** Opened as the next start will open it. */
  async #requireSame(path: string, passphrase: Redacted<string> | null): Promise<void> {
    const content = readKeyFile(path)?.content
    const found =
      content === undefined
        ? new Map<number, KeyObject>()
        : openVersions(await openProtector(path, content.protection, passphrase), content)
    const isSame = [...this.#keys].every(([version, key]) => found.get(version)?.equals(key) === true)
    if (isSame && content?.current === this.#current) return
    throw new StartError('kek-damaged', `${path} does not read back as it was written`, {
      hint: 'the key file is as it was; look at the disk',
    })
  }

  #key(version: number): KeyObject {
    return this.#required(this.#keys, version)
  }

  #required(keys: ReadonlyMap<number, KeyObject>, version: number): KeyObject {
    const key = keys.get(version)
    if (key !== undefined) return key
    const there = [...keys.keys()]
    throw new StartError(
      'kek-missing',
      `version ${version} of the key-encryption key is not in ${this.#file.path}, which has ${there.join(', ')}`,
      {
        // Versions only rise, and each stays until it is retired.
        hint:
          version > Math.max(...there)
            ? 'the key file is older than the database: restore the key file of a later backup'
            : `version ${version} was retired since: restore the key file from the time of the database`,
      },
    )
  }
}

function contentOf(protector: KeyProtector, keys: Versions, current: number): KeyFileContent {
  const versions = [...keys].map(([version, key]) => ({
    version,
    key: protectVersion(protector, version, key),
  }))
  return { format: 'casemate-kek/1', protection: protector.protection, current, versions }
}
