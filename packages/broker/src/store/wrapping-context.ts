// What a wrapped key is bound to (AAD of the wrapping): its place in the store. A blob that is moved to another
// place, or another version of the same secret, does not unwrap there.

import type { SecretPath } from '../secret-path.ts'
import type { KeyPurpose } from './store.ts'

export function secretContext(path: SecretPath, version: number): string {
  return `secret/${path.repository}/${path.type}/${path.tag}/${version}`
}

export function keyContext(purpose: KeyPurpose, id: string): string {
  return `key/${purpose}/${id}`
}
