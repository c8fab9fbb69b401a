// A released secret: its path, and the JWE that only the TEE key opens (RFC 7516, flattened JSON serialisation).

import { type FlattenedJWE, flattenedDecrypt } from 'jose'
import { ClientConfigError, refuse } from './failure.ts'
import type { TeeKey } from './tee-key.ts'

/** One segment of a resource path (KBS protocol). */
const SEGMENT = /^[a-zA-Z0-9_-]+[a-zA-Z0-9_.-]*$/

/** Checks `repository/type/tag`, also in its form `kbs:///repository/type/tag`. @throws {ClientConfigError} path-invalid */
export function resourcePath(path: string): string {
  const bare = path.replace(/^kbs:\/\/[^/]*\//, '')
  const segments = bare.split('/')
  if (segments.length === 3 && segments.every(segment => SEGMENT.test(segment))) return bare
  throw new ClientConfigError(
    'path-invalid',
    `the secret’s path is ${path}, want repository/type/tag`,
    'three parts of letters, digits, _ - and ., e.g. default/db/password',
  )
}

/** Opens a released secret. @throws {BrokerRefusal} response-malformed, secret-undecryptable */
export async function decryptSecret(jwe: unknown, key: TeeKey): Promise<Uint8Array> {
  const parsed = parseJwe(jwe)
  try {
    const opened = await flattenedDecrypt(parsed, key.privateKey, {
      keyManagementAlgorithms: [key.publicJwk.alg],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return opened.plaintext
  } catch (cause) {
    throw refuse('secret-undecryptable', 'the secret does not open with this TEE key', { cause })
  }
}

function parseJwe(jwe: unknown): FlattenedJWE {
  const members =
    typeof jwe === 'object' && jwe !== null ? new Map<string, unknown>(Object.entries(jwe)) : new Map()
  const text = (name: string): string => {
    const value = members.get(name)
    if (typeof value === 'string') return value
    throw refuse('response-malformed', `the released secret’s JWE has no ${name}`)
  }
  return {
    protected: text('protected'),
    encrypted_key: text('encrypted_key'),
    iv: text('iv'),
    ciphertext: text('ciphertext'),
    tag: text('tag'),
  }
}
