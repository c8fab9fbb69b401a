// The report of a simulated SEV-SNP machine, with the certificate of the key that signed it.
import { encodeCertTable } from '@casemate/evidence'
import type { SnpReportRequest } from '@casemate/simulator'
import { measure, type SimulatedKind } from '../simulated-kind.ts'

export const SIMULATED_SNP: SimulatedKind = {
  signer: ({ amd }, { code }) => {
    const leaf = amd.endorsements.find(one => one.name === 'leaf.der')?.bytes ?? new Uint8Array()
    const certificateTable = encodeCertTable([{ type: amd.settings.signingKey, bytes: leaf }])
    return reportData => ({
      evidence: amd.snpReport({ reportData, ...snpCode(code) }),
      certificateTable,
    })
  },
  hasRegister: false,
}

function snpCode(code: string): Omit<SnpReportRequest, 'reportData'> {
  return { measurement: measure('sha384', code, 'launch') }
}
