// The platform's functions, as ABI.md lists them: bytes as pointer and length, answers packed into one number.

// @ts-ignore: decorator
@external('casemate', 'log')
declare function writeLine(pointer: usize, length: i32): void

// @ts-ignore: decorator
@external('casemate', 'random')
export declare function random(pointer: usize, length: i32): void

// @ts-ignore: decorator
@external('casemate', 'config')
export declare function config(pointer: usize, length: i32): u64

// @ts-ignore: decorator
@external('casemate', 'secret')
export declare function secret(pointer: usize, length: i32): u64

// @ts-ignore: decorator
@external('casemate', 'seal')
export declare function seal(
  pointer: usize,
  length: i32,
  additionalPointer: usize,
  additionalLength: i32,
  policy: i32,
): u64

// @ts-ignore: decorator
@external('casemate', 'unseal')
export declare function unseal(pointer: usize, length: i32): u64

export function log(line: string): void {
  const bytes = String.UTF8.encode(line)
  writeLine(changetype<usize>(bytes), bytes.byteLength)
}
