// A guest that does no more than it must: its evidence is new, its key is not, and it leaves the answer encrypted.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { getSecret, openAdmin } from '@casemate/client'
import { tdxKbsEvidence } from '@casemate/evidence'
import type { IntelPlatform } from '@casemate/simulator'

/** The secret that every guest fetches. */
export const SECRET = 'bench/key/one'

const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

/** A policy, a rule and a secret, for guests of a simulated platform. */
export async function prepare(url: string, token: string): Promise<void> {
  const admin = openAdmin({ url, token })
  const policy = { extends: 'strict', name: 'default', version: 1, simulated: 'any', workloads: 'any' }
  await admin.policies.put('default', policy, 'any')
  const rule = {
    secrets: 'bench/*/*',
    expression: 'claims.kind == "tdx" && !claims.debug',
    message: 'TDX only',
    enabled: true,
  }
  await admin.rules.put('bench', rule, 'any')
  await admin.secrets.put(SECRET, new TextEncoder().encode('what is measured is what is returned'), 'any')
}

/** Once with the whole client, which decrypts and checks: what is measured after it only counts answers. */
export async function proveOnce(url: string, platform: IntelPlatform): Promise<void> {
  const attester = {
    tee: 'tdx' as const,
    evidence: async (reportData: Uint8Array) => tdxKbsEvidence(platform.tdxQuote({ reportData })),
  }
  const content = await getSecret({ url, attester, path: SECRET })
  if (!new TextDecoder().decode(content).startsWith('what is measured'))
    throw new Error('not the secret that was stored')
}

/** The body of an attestation that answers `nonce`. */
export function attestation(platform: IntelPlatform, nonce: string): object {
  const key = { alg: 'ECDH-ES+A256KW', crv: 'P-256', kty: 'EC', x: x!, y: y! }
  const digest = createHash('sha384')
    .update(JSON.stringify({ 'additional-evidence': '', nonce, 'tee-pubkey': key }))
    .digest()
  const quote = platform.tdxQuote({ reportData: Buffer.concat([digest, Buffer.alloc(16)]) })
  return {
    'init-data': null,
    'runtime-data': { nonce, 'tee-pubkey': key },
    'tee-evidence': { primary_evidence: tdxKbsEvidence(quote), additional_evidence: '' },
  }
}
