// What the guests of the KBS tests are: the machines that they run on, the reference values and the policy that know their
// code, and the secret that is theirs.

import { createHash } from 'node:crypto'

export const SECRET = 'correct horse battery staple\n'
export const PRINTED = Buffer.from(SECRET).toString('base64')
export const PATH = 'default/key/disk'

export const INIT_DATA = 'version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"aa.toml" = "[token_configs]"\n'

const CODE = { mrTd: '1d'.repeat(48), mrEnclave: '5e'.repeat(32), measurement: 'a3'.repeat(48) }
const OTHER = '0f'

export const MACHINES = {
  known: {
    tdx: { mrTd: CODE.mrTd },
    sgx: { mrEnclave: CODE.mrEnclave },
    snp: { measurement: CODE.measurement },
  },
  other: {
    tdx: { mrTd: OTHER.repeat(48) },
    sgx: { mrEnclave: OTHER.repeat(32) },
    snp: { measurement: OTHER.repeat(48) },
  },
  forged: { tdx: { mrTd: CODE.mrTd, tamper: ['quoteSignature'] } },
  logged: { tdx: { mrTd: CODE.mrTd }, eventLogBytes: 2 ** 20 },
  configured: {
    tdx: { mrTd: CODE.mrTd, mrConfigId: createHash('sha384').update(INIT_DATA).digest() },
  },
} as const

const ANY_TDX = { rtmr0: 'any', rtmr1: 'any', rtmr2: 'any', rtmr3: 'any' }
export const REFERENCES = {
  workloads: [
    { name: 'guest', kind: 'tdx', mrTd: [CODE.mrTd], ...ANY_TDX },
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
