// The AssemblyScript SDK, imported as `casemate` in the code of an enclave. Each function that the code uses becomes an
// import that the manifest declares; what is not used is not in the image. ABI.md says what each of them means.
import * as platform from './platform'
import { take } from './memory'
import { setFailure } from './calls'

export { hmacSha256, Sha256, sha256, sha256At } from './sha256'
export { sha256FourAt } from './sha256-four'

/** Text in UTF-8, as everything outside of AssemblyScript has it. */
export namespace text {
  export function encode(value: string): Uint8Array {
    return Uint8Array.wrap(String.UTF8.encode(value))
  }

  export function decode(bytes: Uint8Array): string {
    return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.byteLength)
  }
}

/** Ends the call without a result: the caller gets `call-failed` and this number, which is not 0. `return fail(7)` */
export function fail(status: u32): Uint8Array {
  assert(status != 0, 'a status is not 0')
  setFailure(status)
  return new Uint8Array(0)
}

/** A line for the host to read: LEAVES THE ENCLAVE. At most 4,096 bytes each and 64 lines a call. */
export function log(line: string): void {
  platform.log(line)
}

/** That many random bytes, fit for keys. */
export function random(length: i32): Uint8Array {
  const bytes = new Uint8Array(length)
  platform.random(bytes.dataStart, length)
  return bytes
}

/** A setting of the manifest, which is measured; null if there is none of that name. */
export function config(name: string): string | null {
  const bytes = String.UTF8.encode(name)
  const answer = platform.config(changetype<usize>(bytes), bytes.byteLength)
  return isStatus(answer) ? null : text.decode(take(answer))
}

/** A secret of the broker that the manifest declares; a trap where it declares none of that path. */
export function secret(path: string): Uint8Array {
  const bytes = String.UTF8.encode(path)
  const answer = platform.secret(changetype<usize>(bytes), bytes.byteLength)
  assert(!isStatus(answer), 'the manifest declares no secret of that path')
  return take(answer)
}

/** Who can open what was sealed. */
export enum Policy {
  /** Only this very code. */
  mrEnclave = 1,
  /** Code of this signer and product id, of this security version or a newer one. */
  mrSigner = 2,
}

/** Encrypts for this enclave's later self. Everybody can read the additional data, nobody can change it. */
export function seal(
  plaintext: Uint8Array,
  policy: Policy = Policy.mrEnclave,
  additionalData: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const answer = platform.seal(
    plaintext.dataStart,
    plaintext.byteLength,
    additionalData.dataStart,
    additionalData.byteLength,
    policy,
  )
  assert(!isStatus(answer), 'the platform did not seal')
  return take(answer)
}

/** The answer of `unseal`: the bytes, or the status of why there are none. */
export class Unsealed {
  constructor(
    public plaintext: Uint8Array,
    public additionalData: Uint8Array,
    /** 0 if it was opened; else one of ABI.md's table, to `fail` with. */
    public status: u32,
  ) {}
}

/** Opens what was sealed for this enclave. */
export function unseal(blob: Uint8Array): Unsealed {
  const answer = platform.unseal(blob.dataStart, blob.byteLength)
  if (isStatus(answer)) return new Unsealed(new Uint8Array(0), new Uint8Array(0), <u32>answer)
  const opened = take(answer)
  const size = <i32>load<u32>(opened.dataStart)
  return new Unsealed(opened.subarray(4 + size), opened.subarray(4, 4 + size), 0)
}

function isStatus(answer: u64): bool {
  return answer != 0 && answer >> 32 == 0
}

/** For functions of type `(pointer: usize, length: i32): u64`, which copy nothing: that many bytes at this pointer. */
export function bytesAt(pointer: usize, length: i32): u64 {
  return length == 0 ? 0 : ((<u64>pointer) << 32) | <u64>length
}
