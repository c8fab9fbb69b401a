// The peer in interop/channel (Go, its standard library and a CBOR module): built once, outside the repository, and run.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MODULE = fileURLToPath(new URL('../../interop/channel', import.meta.url))
const BINARY = join(tmpdir(), 'casemate-interop-channel', process.platform === 'win32' ? 'peer.exe' : 'peer')
/** As go.mod says: for the hybrid group and its name. */
const MIN_GO = 25

/** What the peer tells of a session. */
export interface Outcome {
  readonly code: string
  /** Whether the other side gave the code. */
  readonly theirs: boolean
  readonly error?: string
  readonly version?: string
  readonly group?: string
  readonly resumed: boolean
  readonly kind?: string
  readonly mrEnclave?: string
  readonly mrSigner?: string
  readonly answers?: readonly { readonly code?: string; readonly items: readonly string[] }[]
  readonly end?: string
}

/** Why the peer cannot be built, or null. */
export function whyNoGo(): string | null {
  const { stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  const version = /^go1\.(\d+)/.exec(stdout ?? '')?.[1]
  if (version === undefined) return 'go is not installed'
  return Number(version) >= MIN_GO ? null : `go is older than 1.${MIN_GO}`
}

/** @throws where the module does not build with its checksums */
export function buildPeer(): void {
  const { status, stderr } = spawnSync('go', ['build', '-mod=readonly', '-o', BINARY, '.'], {
    cwd: MODULE,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`go build failed:\n${stderr}`)
}

/** The arguments: `--name value` for each member. */
export type PeerOptions = Readonly<Record<string, string>>

const flags = (options: PeerOptions): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`-${name}`, value])

/** One session as a client. */
export async function runClient(options: PeerOptions): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  execFile(BINARY, ['client', ...flags(options)], { timeout: 30_000 }, (error, stdout, stderr) => {
    if (error === null) resolve(JSON.parse(stdout) as Outcome)
    else reject(new Error(stderr, { cause: error }))
  })
  return promise
}

export interface PeerServer {
  readonly host: string
  readonly port: number
  /** Of the sessions, in their order. */
  readonly outcome: () => Promise<Outcome>
  readonly close: () => Promise<void>
}

export async function startServer(options: PeerOptions): Promise<PeerServer> {
  const child: ChildProcess = spawn(BINARY, ['server', ...flags(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the peer ended')
    return JSON.parse(value)
  }
  const { port } = (await next()) as { port: number }
  return {
    host: '127.0.0.1',
    port,
    outcome: async () => (await next()) as Outcome,
    close: async () => {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}
