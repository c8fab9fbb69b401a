// How evidence is written where it is no plain binary: the pieces that its forms are made of.

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
export const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))
export const b64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
export const b64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url')
export const pemOf = (der: Uint8Array, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${(b64(der).match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

export function xxd(bytes: Uint8Array): string {
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, line) => {
    const part = Buffer.from(bytes.subarray(16 * line, 16 * line + 16))
    const groups = (part.toString('hex').match(/.{1,4}/g) ?? []).join(' ')
    const text = part.toString('latin1').replaceAll(/[^ -~]/g, '.')
    return `${(16 * line).toString(16).padStart(8, '0')}: ${groups.padEnd(39)}  ${text}\n`
  }).join('')
}
