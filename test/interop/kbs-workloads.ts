// What the guests of the KBS tests are: the machines that they run on, the reference values and the policy that know their
// code, and the secret that is theirs.

import { createHash } from 'node:crypto'

export const SECRET = 'correct horse battery staple\n'
export const PRINTED = Buffer.from(SECRET).toString('base64')
export const PATH = 'default/key/disk'

export const INIT_DATA = 'version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"aa.toml" = "[token_configs]"\n'

/** Firmware, and what it loads. */
const TD = { mrTd: '1d'.repeat(48), rtmr1: '1e'.repeat(48), rtmr2: '1f'.repeat(48) }
const CODE = { mrEnclave: '5e'.repeat(32), measurement: 'a3'.repeat(48) }
const OTHER = '0f'

export const MACHINES = {
  known: {
    tdx: TD,
    sgx: { mrEnclave: CODE.mrEnclave },
    snp: { measurement: CODE.measurement },
  },
  other: {
    tdx: { ...TD, rtmr2: OTHER.repeat(48) },
    sgx: { mrEnclave: OTHER.repeat(32) },
    snp: { measurement: OTHER.repeat(48) },
  },
  forged: { tdx: { ...TD, tamper: ['quoteSignature'] } },
  logged: { tdx: TD, eventLogBytes: 2 ** 20 },
  configured: {
    tdx: { ...TD, mrConfigId: createHash('sha384').update(INIT_DATA).digest() },
  },
} as const

export const REFERENCES = {
  workloads: [
    {
      name: 'guest',
      kind: 'tdx',
      mrTd: [TD.mrTd],
      rtmr0: 'any',
      rtmr1: [TD.rtmr1],
      rtmr2: [TD.rtmr2],
      rtmr3: 'any',
    },
    {
      name: 'enclave',
      kind: 'sgx',
      mrEnclave: [CODE.mrEnclave],
      mrSigner: 'any',
      isvProdId: 'any',
      minIsvSvn: 'any',
    },
    {
      name: 'guest',
      kind: 'snp',
      measurement: [CODE.measurement],
      idKeyDigest: 'any',
      authorKeyDigest: 'any',
      minGuestSvn: 'any',
    },
    {
      name: 'sample',
      kind: 'sample',
      svn: '1',
      launchDigest: 'any',
      majorVersion: 'any',
      minMinorVersion: 'any',
    },
  ],
}

export const POLICY = {
  extends: 'strict',
  name: 'default',
  version: 1,
  simulated: 'any',
  snp: { minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
}
