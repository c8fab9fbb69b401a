// Namespaces: which of them a prefix stands for, as the tags around declare it. Few of them mean anything here.
import { ascii, isEqual, reserve } from '../memory'
import { NAMESPACE } from '../schema'
import { isText, value } from './input'

const MAX_BINDINGS: u32 = 32
/** Binding: prefix (pointer, length), namespace. */
const BINDING: usize = 12
const bindings: usize = reserve(MAX_BINDINGS * BINDING)

export namespace Space {
  export const none: u32 = 0
  export const message: u32 = 1
  export const instance: u32 = 2
  export const header: u32 = 3
  export const other: u32 = 4
  export const unbound: u32 = 5
}
const messageSpace = ascii(NAMESPACE)
const instanceSpace = ascii('http://www.w3.org/2001/XMLSchema-instance')
const headerSpace = ascii('urn:iso:std:iso:20022:tech:xsd:head.001.')

/** The namespaces that are declared where reading stands. */
export namespace scope {
  export let bindingCount: u32 = 0
  export let defaultSpace: u32 = 0
}

export function resetScope(): void {
  scope.bindingCount = 0
  scope.defaultSpace = Space.none
}

/** Declares the prefix to stand for the value that was read last. */
export function bind(prefix: usize, length: u32): bool {
  if (scope.bindingCount == MAX_BINDINGS || value.length == 0) return false
  if ((length == 3 && isText(prefix, 'xml')) || (length == 5 && isText(prefix, 'xmlns'))) return false
  const at = bindings + scope.bindingCount++ * BINDING
  store<u32>(at, <u32>prefix)
  store<u32>(at, length, 4)
  store<u32>(at, spaceOf(value.start, value.length), 8)
  return true
}

export function spaceOf(at: usize, length: u32): u32 {
  if (length == 0) return Space.none
  if (length == NAMESPACE.length && isEqual(at, messageSpace, length)) return Space.message
  if (length == 41 && isEqual(at, instanceSpace, 41)) return Space.instance
  return length > 40 && isEqual(at, headerSpace, 40) ? Space.header : Space.other
}

export function spaceOfPrefix(prefix: usize, length: u32): u32 {
  for (let index = scope.bindingCount; index > 0; index--) {
    const at = bindings + (index - 1) * BINDING
    if (load<u32>(at, 4) == length && isEqual(load<u32>(at), prefix, length)) return load<u32>(at, 8)
  }
  return length == 3 && isText(prefix, 'xml') ? Space.other : Space.unbound
}

/** In place of a colon's place, where the name is none with namespaces. */
export const NO_NAME: u32 = 0xffffffff

/** Where the prefix ends; 0 without one. */
export function colonOf(name: usize, length: u32): u32 {
  let colon: u32 = 0
  for (let at: u32 = 0; at < length; at++) {
    if (load<u8>(name + at) != 58) continue
    if (colon != 0 || at == 0 || at == length - 1) return NO_NAME
    const next: u32 = load<u8>(name + at + 1)
    if (next - 48 < 10 || next == 45 || next == 46) return NO_NAME
    colon = at
  }
  return colon
}
