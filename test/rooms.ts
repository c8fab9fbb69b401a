// The plan of the house.

/** Floor by floor, as in ARCHITECTURE.md: each package with the packages of ours that it may import. */
export const MAY_IMPORT: Record<string, readonly string[]> = {
  evidence: [],
  ledger: [],
  simulator: ['evidence'],
  appraisal: ['evidence'],
  client: ['evidence', 'ledger'],
  broker: ['evidence', 'appraisal', 'ledger'],
  enclave: ['evidence', 'simulator', 'client'],
  channel: ['evidence', 'appraisal', 'enclave'],
  agent: ['evidence', 'client', 'enclave', 'channel'],
  cli: ['evidence', 'ledger', 'simulator', 'appraisal', 'client', 'broker', 'enclave', 'channel', 'agent'],
}
