// The header of a sealed file, for people and as JSON. Nobody has verified it before it was opened.

import type { SealedHeader } from '@casemate/enclave'

export function headerJson(header: SealedHeader): Record<string, unknown> {
  const { form, policy, algorithm, rootKind, isvProdId, isvSvn, debug, cpuSvn, additionalData } = header
  return {
    form,
    algorithm,
    root: rootKind,
    rootId: hex(header.rootId),
    policy,
    [policy]: hex(header.measurement),
    ...(policy === 'mrSigner' ? { isvProdId } : {}),
    isvSvn,
    debug,
    cpuSvn: cpuSvn === null ? null : hex(cpuSvn),
    keyId: hex(header.keyId),
    additionalData: Buffer.from(additionalData).toString('base64'),
  }
}

export function headerRows(header: SealedHeader): (readonly [string, string])[] {
  const { form, policy, rootKind, isvProdId, isvSvn, debug, cpuSvn, additionalData } = header
  const isSigner = policy === 'mrSigner'
  return [
    ['form', `${form}, ${header.algorithm}`],
    ['for', `${isSigner ? `product ${isvProdId} of signer` : 'measurement'} ${hex(header.measurement)}`],
    ['security version', `${isvSvn}, or a newer one`],
    ['debug', debug ? 'YES: the host of what opens it may look inside' : 'no'],
    ['root', `${rootKind} ${hex(header.rootId)}`],
    ...(cpuSvn === null ? [] : [['platform version', hex(cpuSvn)] as const]),
    ['key id', hex(header.keyId)],
    ['additional data', additionalData.length === 0 ? 'none' : shown(additionalData)],
  ]
}

/** Of additional data that is shown, in bytes. */
const MAX_SHOWN = 64

function shown(data: Uint8Array): string {
  const start = Buffer.from(data.subarray(0, MAX_SHOWN))
  const text = start.toString('utf8')
  const more = data.length > MAX_SHOWN ? `… (${data.length} bytes)` : ''
  const isText =
    data.length > MAX_SHOWN ? !text.slice(0, -1).includes('\ufffd') : Buffer.from(text).equals(start)
  return `${isText ? JSON.stringify(text) : hex(start)}${more}`
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
