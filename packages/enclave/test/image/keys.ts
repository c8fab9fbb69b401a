// Signing keys of tests; made once for each file, since RSA-3072 takes its time.
import { generateKeyPairSync } from 'node:crypto'

export const generateSigningKey = () => generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
export const SIGNING = generateSigningKey()
export const DATE = { date: '20261122' }
