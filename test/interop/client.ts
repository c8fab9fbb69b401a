// The guest in interop/kbs-client (Rust, published crates alone): built once with cargo, outside the repository, and run.

import { execFile, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CRATE = fileURLToPath(new URL('../../interop/kbs-client', import.meta.url))
const TARGET = process.env['CARGO_TARGET_DIR'] ?? join(tmpdir(), 'casemate-interop-target')
const BINARY = join(
  TARGET,
  'debug',
  process.platform === 'win32' ? 'kbs-interop-client.exe' : 'kbs-interop-client',
)

/** An exchange over HTTP as the client tells it on standard error. */
export interface Exchange {
  readonly path: string
  readonly status: number
  readonly contentType: string | null
  /** How many Set-Cookie headers came. */
  readonly cookies: number
  /** The JSON of every body that came with another status than 200; null where it is no JSON. */
  readonly error: { readonly type: string; readonly detail: string } | null
}

/** What came of one run. */
export interface Run {
  readonly code: number
  readonly stdout: string
  readonly exchanges: readonly Exchange[]
  /** The protected header as received, and the AAD that the client made of it by parsing and serialising it. */
  readonly aad: { readonly protected: string; readonly aad: string } | null
  /** What the client died of. */
  readonly failure: string
}

/** Why the client cannot be built, or null. */
export function whyNoCargo(): string | null {
  const { status } = spawnSync('cargo', ['--version'], { stdio: 'ignore' })
  return status === 0 ? null : 'cargo is not installed'
}

/** @throws where the crate does not build with its lock file */
export function buildClient(): void {
  const { status, stderr } = spawnSync(
    'cargo',
    ['build', '--locked', '--quiet', '--manifest-path', join(CRATE, 'Cargo.toml')],
    {
      env: { ...process.env, CARGO_TARGET_DIR: TARGET },
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(`cargo build failed:\n${stderr}`)
}

export function runClient(...args: readonly string[]): Promise<Run> {
  return new Promise(resolve => {
    execFile(BINARY, args, { env: { ...process.env, RUST_BACKTRACE: '0' } }, (error, stdout, stderr) => {
      const told = stderr
        .split('\n')
        .filter(line => line.startsWith('{'))
        .map(line => JSON.parse(line) as object)
      resolve({
        code: error === null ? 0 : Number(error.code),
        stdout: stdout.trimEnd(),
        exchanges: told.filter((line): line is Exchange => 'status' in line),
        aad: (told.find(line => 'aad' in line) as Run['aad'] | undefined) ?? null,
        failure: stderr
          .split('\n')
          .filter(line => !line.startsWith('{'))
          .join('\n')
          .trim(),
      })
    })
  })
}
