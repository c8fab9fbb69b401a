// Attest and fetch one secret over HTTP on loopback (three requests): the broker's processor time for one, against
// the cryptography that it cannot avoid, and against three requests to a server that only echoes.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getSecret, openAdmin } from '@casemate/client'
import { createIntelPlatform, type IntelPlatform, tdxKbsEvidence } from '@casemate/simulator'
import type { Question, Start, Started } from './handshake-server.ts'
import { type Measured, spread } from './measure.ts'
import { printRates, printRatio } from './report.ts'

const ROUNDS = 7
/** Guests at the same time, so that they can share a commit as they would in life. */
const GUESTS = 16
const HANDSHAKES = 320
const SECRET = 'bench/key/one'

/** Prints the tables of this topic. */
export async function benchHandshake(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  const platform = await createIntelPlatform({ now: new Date() })
  const server = fork(new URL('./handshake-server.ts', import.meta.url), { serialization: 'advanced' })
  try {
    const { anchors, endorsements } = platform
    const started = (await ask(server, { dataDir, anchors, endorsements } satisfies Start)) as Started
    await prepare(started, platform)
    await compare(server, started, platform)
  } finally {
    server.disconnect()
    await once(server, 'exit')
    rmSync(dataDir, { recursive: true })
  }
}

async function prepare({ url, adminToken }: Started, platform: IntelPlatform): Promise<void> {
  const admin = openAdmin({ url, token: adminToken })
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
  // Once with the whole client, which decrypts and checks: what follows only counts answers.
  const attester = {
    tee: 'tdx' as const,
    evidence: async (reportData: Uint8Array) => tdxKbsEvidence(platform.tdxQuote({ reportData })),
  }
  const content = await getSecret({ url, attester, path: SECRET })
  if (!new TextDecoder().decode(content).startsWith('what is measured'))
    throw new Error('not the secret that was stored')
}

async function compare(
  server: ChildProcess,
  { url, echoUrl }: Started,
  platform: IntelPlatform,
): Promise<void> {
  const micros = { handshake: [] as number[], echo: [] as number[], floor: [] as number[] }
  const walls: number[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const startedAt = performance.now()
    const handshake = await cpuOf(server, () => concurrently(() => guest(url, platform)))
    const wall = ((performance.now() - startedAt) * 1000) / HANDSHAKES
    const echo = await cpuOf(server, () => concurrently(() => threeEchoes(echoUrl)))
    const floor = ((await ask(server, { floor: HANDSHAKES })) as number) / HANDSHAKES
    // The first round compiles code and is not counted.
    if (round < 0) continue
    micros.handshake.push(handshake)
    micros.echo.push(echo)
    micros.floor.push(floor)
    walls.push(wall)
  }
  const rate = (name: string, of: readonly number[]): Measured => ({
    name,
    rates: of.map(value => 1e6 / value),
  })
  const handshake = rate('attest and fetch one secret, broker’s processor time', micros.handshake)
  const floor = rate('its bare cryptography', micros.floor)
  const both = rate(
    'bare cryptography and three HTTP echoes',
    micros.floor.map((value, round) => value + micros.echo[round]!),
  )
  printRates('Attest and fetch one secret', [
    handshake,
    floor,
    rate('three HTTP echoes (node:http)', micros.echo),
    both,
    rate('wall clock, guests on the same machine', walls),
  ])
  printRatio('processor time against the bare cryptography', floor, handshake, { atMost: 2 })
  printRatio('against bare cryptography and three echoes', both, handshake, 'none')
  const { median } = spread(micros.handshake)
  console.log(`  one handshake and secret: ${Math.round(median)} µs of the broker’s processor time`)
}

async function cpuOf(server: ChildProcess, work: () => Promise<void>): Promise<number> {
  const before = (await ask(server, { cpu: true })) as number
  await work()
  return (((await ask(server, { cpu: true })) as number) - before) / HANDSHAKES
}

async function concurrently(one: () => Promise<void>): Promise<void> {
  let left = HANDSHAKES
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: GUESTS }, worker))
}

const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

/** A guest that does no more than it must: its evidence is new, its key is not, and it leaves the answer encrypted. */
async function guest(url: string, platform: IntelPlatform): Promise<void> {
  const auth = await fetch(`${url}/kbs/v0/auth`, post({ version: '0.4.0', tee: 'tdx', 'extra-params': '' }))
  const { nonce } = (await auth.json()) as { nonce: string }
  const cookie = auth.headers.get('set-cookie')!.split(';')[0]!
  const key = { alg: 'ECDH-ES+A256KW', crv: 'P-256', kty: 'EC', x: x!, y: y! }
  const digest = createHash('sha384')
    .update(JSON.stringify({ 'additional-evidence': '', nonce, 'tee-pubkey': key }))
    .digest()
  const quote = platform.tdxQuote({ reportData: Buffer.concat([digest, Buffer.alloc(16)]) })
  const attested = await fetch(
    `${url}/kbs/v0/attest`,
    post(
      {
        'init-data': null,
        'runtime-data': { nonce, 'tee-pubkey': key },
        'tee-evidence': { primary_evidence: tdxKbsEvidence(quote), additional_evidence: '' },
      },
      cookie,
    ),
  )
  if (attested.status !== 200) throw new Error(`attest: ${attested.status} ${await attested.text()}`)
  await attested.arrayBuffer()
  const headers = { cookie: attested.headers.get('set-cookie')?.split(';')[0] ?? cookie }
  const secret = await fetch(`${url}/kbs/v0/resource/${SECRET}`, { headers })
  if (secret.status !== 200) throw new Error(`resource: ${secret.status} ${await secret.text()}`)
  await secret.arrayBuffer()
}

async function threeEchoes(url: string): Promise<void> {
  await (await fetch(url, post({ version: '0.4.0', tee: 'tdx' }))).arrayBuffer()
  await (await fetch(url, post({ quote: 'x'.repeat(7000) }))).arrayBuffer()
  await (await fetch(url)).arrayBuffer()
}

function post(body: unknown, cookie?: string): RequestInit {
  const headers = { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}

async function ask(server: ChildProcess, question: Start | Question): Promise<unknown> {
  server.send(question)
  const [answer] = await once(server, 'message')
  return answer
}
