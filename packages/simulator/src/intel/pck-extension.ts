// The SGX extension of a PCK certificate, 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile, 1.3.5).

import * as der from '@casemate/evidence/asn1'
import { type Extension, extension } from '@casemate/evidence/asn1'
import type { IntelSettings } from './settings.ts'

const SGX_EXTENSIONS = '1.2.840.113741.1.13.1'

const SGX_TYPE = { processor: 0, platform: 1 } as const

function entry(path: string, value: Uint8Array): Uint8Array {
  return der.sequence(der.oid(`${SGX_EXTENSIONS}.${path}`), value)
}

function tcb(settings: IntelSettings): Uint8Array {
  return der.sequence(
    ...settings.cpuSvn.map((svn, index) => entry(`2.${index + 1}`, der.unsigned(svn))),
    entry('2.17', der.unsigned(settings.pceSvn)),
    entry('2.18', der.octetString(Uint8Array.from(settings.cpuSvn))),
  )
}

/** Instance id and configuration, which only certificates of the platform CA have. */
function platformEntries(settings: IntelSettings): readonly Uint8Array[] {
  if (settings.pckCa === 'processor') return []
  const { dynamicPlatform, cachedKeys, smtEnabled } = settings
  return [
    entry('6', der.octetString(Buffer.from(settings.platformInstanceId, 'hex'))),
    entry(
      '7',
      der.sequence(
        entry('7.1', der.boolean(dynamicPlatform)),
        entry('7.2', der.boolean(cachedKeys)),
        entry('7.3', der.boolean(smtEnabled)),
      ),
    ),
  ]
}

export function sgxExtension(settings: IntelSettings): Extension {
  return extension(
    SGX_EXTENSIONS,
    der.sequence(
      entry('1', der.octetString(Buffer.from(settings.ppid, 'hex'))),
      entry('2', tcb(settings)),
      entry('3', der.octetString(Buffer.from(settings.pceId, 'hex'))),
      entry('4', der.octetString(Buffer.from(settings.fmspc, 'hex'))),
      entry('5', der.enumerated(SGX_TYPE[settings.pckCa])),
      ...platformEntries(settings),
    ),
  )
}
