// Moves one sealed file to another root, version or policy. The order of the steps is the invariant: the new file is
// written beside the old one, synced, read back and opened to the same plaintext; only then it takes the old one's place,
// in one rename. Whenever the process ends, the place holds the old file or the new one, whole. There is no journal:
// the header of each file says where it stands, and that it opens there proves it: the same run again does the rest.
// Plaintext is in memory alone, chunk by chunk.
import { createHash, timingSafeEqual } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { equal } from '@casemate/evidence/bytes'
import { EnclaveError } from '../../errors.ts'
import { type SealOptions, seal } from '../blob.ts'
import { onFile } from '../file-errors.ts'
import type { SealedHeader } from '../header.ts'
import type { SealingPolicy } from '../identity.ts'
import type { UnsealOptions } from '../opening.ts'
import { SealStream } from '../stream.ts'
import { NewFile, syncDirectoryOf } from './new-file.ts'
import { openSealedFile, plaintextOf, type SealedFile } from './sealed-file.ts'

/** How far one file is; each is true from here on. */
export type ResealStep = 'created' | 'written' | 'synced' | 'verified' | 'replaced' | 'settled'

export type ResealEvent =
  | { readonly path: string; readonly step: ResealStep }
  /** So much more of the plaintext was worked through. */
  | { readonly path: string; readonly step: 'progress'; readonly bytes: number }

export interface ResealOptions {
  readonly from: UnsealOptions
  readonly to: UnsealOptions
  /** `keep`: each file stays for whom it was, the code or the signer. */
  readonly policy: SealingPolicy | 'keep'
  readonly signal: AbortSignal | null
  readonly report: (event: ResealEvent) => void
}

/**
 * True if it was moved, false if it was there already, and opens.
 * @throws {EnclaveError} reseal-forbidden, reseal-unverified, file-changed, file-unreadable, file-unwritable, disk-full,
 * interrupted, and the codes of `unseal`
 */
export async function resealFile(path: string, options: ResealOptions): Promise<boolean> {
  // The new file would take the place of the link, and the file that it leads to would stay where it was.
  const file = await openSealedFile(path, 'refuse')
  try {
    const policy = options.policy === 'keep' ? file.header.policy : options.policy
    if (isThere(file.header, policy, options.to)) {
      await checkWhole(file, options)
      return false
    }
    checkMove(file.header, options)
    await replace(file, policy, options)
    return true
  } finally {
    await file.handle.close()
  }
}

/**
 * A header alone proves nothing: whoever can write there would have a file passed over that nobody can open once the old
 * root is gone. @throws {EnclaveError} file-unreadable, file-changed, interrupted, and the codes of `unseal`
 */
async function checkWhole(file: SealedFile, { to, signal, report }: ResealOptions): Promise<void> {
  for await (const { length } of plaintextOf(file, to, signal))
    report({ path: file.path, step: 'progress', bytes: length })
}

async function replace(file: SealedFile, policy: SealingPolicy, options: ResealOptions): Promise<void> {
  const { path } = file
  const made = await NewFile.create(path)
  const reached = (step: ResealStep): void => options.report({ path, step })
  try {
    reached('created')
    const { additionalData } = file.header
    const digest = await onFile(path, 'file-unwritable', () =>
      write(file, made, { ...options, seal: { ...options.to, policy, additionalData } }),
    )
    reached('written')
    await onFile(path, 'file-unwritable', () => takeOver(file, made))
    await made.sync()
    reached('synced')
    await verify(made.path, { digest, additionalData, options })
    reached('verified')
    await checkUnchanged(file)
    await made.settle('replace')
  } catch (error) {
    await made.discard()
    throw error
  }
  reached('replaced')
  await syncDirectoryOf(path)
  reached('settled')
}

/** From the old file into the new one; the SHA-256 of what went through, which stays in memory. */
async function write(
  file: SealedFile,
  made: NewFile,
  options: ResealOptions & { readonly seal: SealOptions },
): Promise<Buffer> {
  const hash = createHash('sha256')
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of plaintextOf(file, options.from, options.signal)) {
      hash.update(piece)
      options.report({ path: file.path, step: 'progress', bytes: piece.length })
      yield piece
    }
  }
  if (file.header.form === 'blob') {
    for await (const plaintext of hashed()) await made.handle.writeFile(seal(plaintext, options.seal))
  } else await made.fill(Readable.from(hashed(), { objectMode: false }), new SealStream(options.seal))
  return hash.digest()
}

/** Owner and permissions are those of the old file, before anything can be found in the new one’s place. */
async function takeOver({ state }: SealedFile, { handle }: NewFile): Promise<void> {
  const made = await handle.stat({ bigint: true })
  if (made.uid !== state.uid || made.gid !== state.gid)
    await handle.chown(Number(state.uid), Number(state.gid))
  await handle.chmod(Number(state.mode & 0o777n))
}

interface Wanted {
  readonly digest: Buffer
  readonly additionalData: Uint8Array
  readonly options: ResealOptions
}

/** Opened again by its name, as whoever needs it will. */
async function verify(path: string, { digest, additionalData, options }: Wanted): Promise<void> {
  try {
    const made = await openSealedFile(path)
    try {
      const hash = createHash('sha256')
      for await (const piece of plaintextOf(made, options.to, options.signal)) hash.update(piece)
      if (timingSafeEqual(hash.digest(), digest) && equal(made.header.additionalData, additionalData)) return
    } finally {
      await made.handle.close()
    }
  } catch (error) {
    if (error instanceof EnclaveError && error.code === 'interrupted') throw error
    throw unverified(path, error)
  }
  throw unverified(path)
}

function unverified(path: string, cause?: unknown): EnclaveError {
  return new EnclaveError(
    'reseal-unverified',
    `the new file in ${dirname(path)} does not hold what it should`,
    {
      hint: 'the old file is untouched; is the disk at fault?',
      cause,
    },
  )
}

/** LIMIT: what changes the file between this and the rename is lost; nothing must write there meanwhile. */
async function checkUnchanged({ path, state }: SealedFile): Promise<void> {
  const now = await onFile(path, 'file-changed', () => lstat(path, { bigint: true }))
  const same = (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every(
    name => now[name] === state[name],
  )
  if (same) return
  throw new EnclaveError('file-changed', `${path} was changed while it was being sealed again`, {
    hint: 'stop what writes there, and run it again',
  })
}

/**
 * Whether the header says what it would say after the move. UNVERIFIED: what it heads is to be opened, which also demands
 * the product and the debug flag. A root has another id for each policy, and no other kind has the same.
 */
function isThere(header: SealedHeader, policy: SealingPolicy, { root, identity }: UnsealOptions): boolean {
  const isEnclave = policy === 'mrEnclave'
  return (
    equal(header.rootId, root.ids[policy]) &&
    equal(header.measurement, isEnclave ? identity.mrEnclave : identity.mrSigner) &&
    header.isvSvn === identity.isvSvn &&
    (root.cpuSvn === null ? header.cpuSvn === null : equal(header.cpuSvn ?? new Uint8Array(), root.cpuSvn))
  )
}

/** Moving must not let in whom sealing kept out. @throws {EnclaveError} reseal-forbidden */
function checkMove({ isvSvn }: SealedHeader, { from, to }: ResealOptions): void {
  const { identity: old } = from
  const { identity: next } = to
  if (!equal(old.mrSigner, next.mrSigner)) throw forbidden('the signer is another')
  if (old.isvProdId !== next.isvProdId) throw forbidden('the product is another')
  if (old.debug !== next.debug) throw forbidden('one is a debug enclave and the other is not')
  if (next.isvSvn < isvSvn)
    throw forbidden(`it was sealed by security version ${isvSvn}, and ${next.isvSvn} is older`)
}

function forbidden(reason: string): EnclaveError {
  return new EnclaveError('reseal-forbidden', `it may not be sealed again for that enclave: ${reason}`, {
    hint: 'the owner of the data, who has the key, can unseal it and seal it anew',
  })
}
