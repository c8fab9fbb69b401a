// A certificate and its key for a broker that serves TLS; nobody in a benchmark checks them.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as asn1 from '@casemate/evidence/asn1'

const DAY_MS = 86_400_000

/** Settings of a broker, with a certificate in `directory` that ends in a day. */
export function writeTls(directory: string): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name: asn1.Name = [['CN', 'casemate bench']]
  const now = Date.now()
  const certificate = asn1.encodeCertificate(
    {
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + DAY_MS),
      serial: randomBytes(8).fill(1, 0, 1),
      issuer: name,
      subject: name,
      spki: publicKey.export({ type: 'spki', format: 'der' }),
      extensions: [asn1.endEntity()],
    },
    {
      algorithm: asn1.sequence(asn1.oid('1.2.840.10045.4.3.2')),
      sign: tbs => sign('sha256', tbs, privateKey),
    },
  )
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const text = Buffer.from(certificate).toString('base64')
  writeFileSync(certFile, `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`)
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return { 'tls-cert-file': certFile, 'tls-key-file': keyFile }
}
