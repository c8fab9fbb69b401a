// A root and an identity, and others that differ in one thing.
import { createSecretKey } from 'node:crypto'
import type { SealingIdentity } from '../../src/sealing/identity.ts'
import { makeRoot } from '../../src/sealing/root.ts'

const key = (byte: number) => createSecretKey(Buffer.alloc(32, byte))

const cpuSvn = new Uint8Array(16).fill(5)

export const ROOT = makeRoot({
  kind: 'simulated',
  cpuSvn,
  secrets: { mrEnclave: key(1), mrSigner: key(2) },
})
export const OTHER_ROOT = makeRoot({
  kind: 'simulated',
  cpuSvn,
  secrets: { mrEnclave: key(3), mrSigner: key(4) },
})

export const IDENTITY: SealingIdentity = {
  mrEnclave: new Uint8Array(32).fill(0xee),
  mrSigner: new Uint8Array(32).fill(0x55),
  isvProdId: 7,
  isvSvn: 3,
  debug: false,
}
export const OTHER_CODE = { ...IDENTITY, mrEnclave: new Uint8Array(32).fill(0xef) }
export const OTHER_SIGNER = { ...IDENTITY, mrSigner: new Uint8Array(32).fill(0x56) }
export const POLICIES = ['mrEnclave', 'mrSigner'] as const
