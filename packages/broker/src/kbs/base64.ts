// Strict base64: Buffer ignores what it does not understand, and two spellings of one value must not both pass
// where the spelling is hashed or compared.

/** Bytes of unpadded base64url, or null where `text` is not the one spelling of any bytes. */
export function decodeBase64Url(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}

/** Bytes of padded standard base64, or null where `text` is not the one spelling of any bytes. */
export function decodeBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}
