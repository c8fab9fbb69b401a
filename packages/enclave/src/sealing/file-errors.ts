// The operating system's errors about files, as codes that stay the same on every platform.
import { EnclaveError, type EnclaveErrorCode } from '../errors.ts'

const CODES: Readonly<Record<string, EnclaveErrorCode>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EFBIG: 'disk-full',
  EEXIST: 'file-exists',
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  EEXIST: 'it exists, and is not replaced',
  ENAMETOOLONG: 'the name is too long',
  EPIPE: 'whoever read it has stopped reading',
  ELOOP: 'it is a symbolic link',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the quota is used up',
  EFBIG: 'files may not be as large here',
  EIO: 'the disk reports an error',
}

/** As it stands where it has a code already; an abort as `interrupted`; an errno under its code or `otherwise`. */
export function fileError(error: unknown, path: string, otherwise: EnclaveErrorCode): EnclaveError {
  if (error instanceof EnclaveError) return error
  const errno = errnoOf(error)
  if (error instanceof Error && error.name === 'AbortError')
    return new EnclaveError('interrupted', `${path}: stopped`, { cause: error })
  if (errno === '') throw error
  const reason = REASONS[errno] ?? errno
  return new EnclaveError(CODES[errno] ?? otherwise, `${path}: ${reason}`, { cause: error })
}

/** The operating system's name of it, or nothing. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Does it, and brings what the operating system says to {@link fileError}. */
export async function onFile<T>(
  path: string,
  otherwise: EnclaveErrorCode,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw fileError(error, path, otherwise)
  }
}
