// The kernel's errors when it makes a report (drivers/virt/coco: tsm, tdx-guest, sev-guest), in words for people.
import { EnclaveError } from '../errors.ts'
import { errnoOf } from './platform-files.ts'

/** Others are at work, or a signal came: the same request may do next time. */
const PASSING: readonly string[] = ['EBUSY', 'EINTR', 'EAGAIN', 'ETIMEDOUT']

export function isPassing(error: unknown): boolean {
  return PASSING.includes(errnoOf(error))
}

/** Why there is no entry of ours. */
export const DIRECTORY_REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: [
    'the kernel offers no reports',
    'mount configfs, load the module tdx_guest or sev-guest, and use Linux 6.7 or later',
  ],
  ENOTDIR: ['the kernel offers no reports', 'mount configfs on /sys/kernel/config'],
  ENXIO: [
    'no provider of reports is registered with the kernel',
    'load the module tdx_guest or sev-guest; TDX on Azure has none, as its paravisor keeps the device',
  ],
  EACCES: ['reports are for root only', 'run as root, or give the process CAP_DAC_OVERRIDE'],
  EPERM: ['reports are for root only', 'run as root, outside of a sandbox that forbids it'],
  EROFS: ['configfs is mounted read-only', 'mount -o remount,rw /sys/kernel/config'],
}

export function directoryFailure(directory: string, cause: unknown): EnclaveError {
  const errno = errnoOf(cause)
  const known = DIRECTORY_REASONS[errno]
  if (known === undefined) {
    const code = isPassing(cause) ? 'attestation-busy' : 'attestation-failed'
    return new EnclaveError(code, `no entry can be made in ${directory} (${errno || 'unknown error'})`, {
      cause,
    })
  }
  const [reason, hint] = known
  return new EnclaveError('attestation-unavailable', `${reason}: ${directory} (${errno})`, { hint, cause })
}

const OUTBLOB_HINTS: Readonly<Record<string, string>> = {
  EINVAL: 'the kernel did not take the report data, or not for this privilege level',
  EIO: 'the host could not sign; its log says why',
  ENOTTY: 'the guest’s message key was used up or lost, and is new only after a start of the guest',
  ENXIO: 'the provider was unloaded meanwhile',
}

export function outblobFailure(cause: unknown, maxBytes: number): EnclaveError {
  const errno = errnoOf(cause)
  if (isPassing(cause)) {
    return new EnclaveError('attestation-busy', `the platform is not ready to sign (${errno})`, {
      hint: 'it signs for others, or its quoting service does not answer; try again',
      cause,
    })
  }
  if (errno === 'EFBIG') {
    return new EnclaveError('attestation-failed', 'the kernel gave more than evidence can be', {
      expected: `at most ${maxBytes} bytes`,
      cause,
    })
  }
  const hint = OUTBLOB_HINTS[errno]
  return new EnclaveError('attestation-failed', `the kernel gave no evidence (${errno || 'unknown error'})`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  })
}
