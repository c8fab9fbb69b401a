// SHA-256 and Ed25519 (RFC 8032) through WebCrypto. Same names as src/node/crypto.ts.

/** WebCrypto takes no view of a shared buffer; a copy is never one. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

export async function sha256(data: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', own(data)))
}

/** `publicKey` is the raw 32 bytes. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', own(publicKey), 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', key, own(signature), own(message))
}
