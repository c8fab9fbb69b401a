// The directory that the tests verify in: evidence of simulated platforms in each form, trust, policies, reference values.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { createAmdPlatform, createIntelPlatform } from '@casemate/simulator'
import { casemate, temporaryDirectory } from '../run.ts'

export const AT = '2026-11-22T12:00:00Z'
export const cwd = temporaryDirectory(after)
export const MRTD = 'aa'.repeat(48)

before(async () => {
  const now = new Date(AT)
  const intel = await createIntelPlatform({ now })
  const amd = await createAmdPlatform({ now, modulusBits: 2048 })
  const reportData = new Uint8Array(64).fill(7)
  const zeros = '00'.repeat(48)
  const tdx = intel.tdxQuote({
    reportData,
    mrTd: MRTD,
    rtmr0: zeros,
    rtmr1: 'bb'.repeat(48),
    rtmr2: zeros,
    rtmr3: zeros,
  })
  writeFileSync(join(cwd, 'quote.bin'), tdx)
  writeFileSync(join(cwd, 'quote.hex'), Buffer.from(tdx).toString('hex'))
  writeFileSync(join(cwd, 'quote.b64'), Buffer.from(tdx).toString('base64'))
  writeFileSync(
    join(cwd, 'kbs.json'),
    JSON.stringify({ quote: Buffer.from(tdx).toString('base64'), cc_eventlog: null }),
  )
  writeFileSync(join(cwd, 'tampered.bin'), intel.tdxQuote({ reportData, tamper: ['quoteSignature'] }))
  writeFileSync(join(cwd, 'sgx.bin'), intel.sgxQuote({ reportData }))
  writeFileSync(join(cwd, 'snp.bin'), amd.snpReport({ reportData }))
  writeFileSync(join(cwd, 'masked.bin'), amd.snpReport({ reportData, chipId: new Uint8Array(64) }))
  writeFileSync(join(cwd, 'noise.bin'), 'this is no evidence')
  writeFileSync(join(cwd, 'trust.json'), JSON.stringify(intel.publicTrust()))
  const root = { ...intel.publicTrust(), endorsements: [] }
  writeFileSync(join(cwd, 'root.json'), JSON.stringify(root))
  writeFileSync(join(cwd, 'amd-trust.json'), JSON.stringify(amd.publicTrust()))
  mkdirSync(join(cwd, 'collateral'))
  for (const { name, bytes } of intel.endorsements) writeFileSync(join(cwd, 'collateral', name), bytes)
  writeFileSync(join(cwd, 'collateral', 'README.md'), 'where these are from')
  writeFileSync(join(cwd, 'tour.yaml'), 'extends: strict\nname: tour\nversion: 1\nsimulated: any\n')
  const workload = (name: string, mrTd: string): string =>
    `workloads:\n  - kind: tdx\n    name: ${name}\n    mrTd: [${mrTd}]\n    rtmr0: any\n    rtmr1: ${'bb'.repeat(48)}\n    rtmr2: '${zeros}'\n    rtmr3: any\n`
  writeFileSync(join(cwd, 'known.yaml'), workload('mine', MRTD))
  writeFileSync(join(cwd, 'other.yaml'), workload('another', 'cc'.repeat(48)))
})

export function verify(...args: string[]): ReturnType<typeof casemate> {
  return casemate(['verify', '--at', AT, ...args], { cwd })
}
