// One enclave that uses all of the platform; everything.c and everything.rs are the same one.
import { config, fail, log, Policy, random, seal, secret, text, unseal } from 'casemate'

let first: Uint8Array | null = null

export function greet(name: Uint8Array): Uint8Array {
  return text.encode(text.decode(secret('default/greet/phrase')) + ', ' + text.decode(name) + '!')
}
export function refuse(input: Uint8Array): Uint8Array {
  return input.length == 0 ? fail(7) : input
}
export function setting(name: Uint8Array): Uint8Array {
  const value = config(text.decode(name))
  return value === null ? text.encode('none') : text.encode(value)
}
export function draw(input: Uint8Array): Uint8Array {
  return random(input[0])
}
export function say(line: Uint8Array): Uint8Array {
  log(text.decode(line))
  return new Uint8Array(0)
}
export function lock(input: Uint8Array): Uint8Array {
  return seal(input, Policy.mrSigner, text.encode('label'))
}
export function open(blob: Uint8Array): Uint8Array {
  const opened = unseal(blob)
  if (opened.status != 0) return fail(opened.status)
  return text.encode(text.decode(opened.additionalData) + ':' + text.decode(opened.plaintext))
}
/** Keeps its first input, and answers it ever after. */
export function keep(input: Uint8Array): Uint8Array {
  if (first === null) first = input
  return first!
}
export function crash(input: Uint8Array): Uint8Array {
  throw new Error('no way')
}
export function starve(input: Uint8Array): Uint8Array {
  const all: Uint8Array[] = []
  while (true) all.push(new Uint8Array(1 << 20))
}
