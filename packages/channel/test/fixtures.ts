// A simulated machine for both ends of a channel, and demands that its evidence meets. Everything that a test wants to
// be otherwise, it changes.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { mergeReferenceValues, parsePolicy } from '@casemate/appraisal'
import type { AttestationDriver } from '@casemate/enclave'
import { readEndorsements } from '@casemate/evidence'
import {
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
  type IntelPlatformOptions,
} from '@casemate/simulator'
import {
  type AttestedListener,
  type CallTarget,
  ChannelError,
  type ChannelErrorCode,
  type ChannelIdentity,
  type EnclaveServer,
  type IdentityOptions,
  type ListenOptions,
  listenAttested,
  openIdentity,
  type PeerDemands,
  type ServeEnclaveOptions,
  serveEnclave,
} from '../src/index.ts'

export interface Machine {
  readonly driver: AttestationDriver
  readonly demands: PeerDemands
}

export interface IntelMachine extends Machine {
  /** As claims show it. */
  readonly hardwareId: string
}

/** Accepts simulated evidence of any workload: what is refused is then refused for what the test is about. */
export const LAPTOP = {
  extends: 'strict',
  name: 'laptop',
  version: 1,
  simulated: 'any',
  workloads: 'any',
  snp: { revocation: 'any', minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
}

const NO_WORKLOADS = mergeReferenceValues()

const source = 'the test’s simulator'

export async function intelMachine(
  kind: 'sgx' | 'tdx',
  options: IntelPlatformOptions = {},
): Promise<IntelMachine> {
  return machineOf(await createIntelPlatform(options), kind)
}

/** The fields are what its quotes say otherwise than usual. */
export function machineOf(platform: IntelPlatform, kind: 'sgx' | 'tdx', fields = {}): IntelMachine {
  const quote = (reportData: Uint8Array): Uint8Array =>
    kind === 'sgx'
      ? platform.sgxQuote({ reportData, ...fields })
      : platform.tdxQuote({ reportData, ...fields })
  return {
    hardwareId: platform.settings.ppid,
    driver: {
      kind,
      simulated: true,
      source,
      quote: async reportData => ({ kind, evidence: quote(reportData), certificateTable: null }),
    },
    demands: {
      policy: parsePolicy(LAPTOP),
      references: NO_WORKLOADS,
      endorsements: readEndorsements(platform.endorsements),
      anchors: platform.anchors,
      now: () => new Date(),
    },
  }
}

export async function amdMachine(): Promise<Machine> {
  const platform = await createAmdPlatform({ modulusBits: 2048 })
  return {
    driver: {
      kind: 'snp',
      simulated: true,
      source,
      quote: async reportData => {
        const bytes = platform.snpReport({ reportData, certificateTable: true })
        return { kind: 'snp', evidence: bytes.subarray(0, 1184), certificateTable: bytes.subarray(1184) }
      },
    },
    demands: {
      policy: parsePolicy(LAPTOP),
      references: NO_WORKLOADS,
      // All that is needed comes with the report.
      endorsements: readEndorsements([]),
      anchors: platform.anchors,
      now: () => new Date(),
    },
  }
}

export async function identityOf(
  t: TestContext,
  driver: IdentityOptions['driver'],
  options: Partial<IdentityOptions> = {},
): Promise<ChannelIdentity> {
  const identity = await openIdentity({ driver, statement: null, ...options })
  t.after(() => identity.close())
  return identity
}

/** Takes anyone and does nothing with them, until the options say otherwise. */
export async function listenerOf(
  t: TestContext,
  identity: ChannelIdentity,
  options: Partial<ListenOptions> = {},
): Promise<AttestedListener> {
  const listener = await listenAttested({
    host: '127.0.0.1',
    port: 0,
    identity,
    peers: 'anyone',
    onConnection: () => undefined,
    ...options,
  })
  t.after(() => listener.close())
  return listener
}

/** An enclave's server on a machine of its own, and what a client demands of it. */
export async function serverOf(
  t: TestContext,
  enclave: CallTarget,
  options: Partial<ServeEnclaveOptions> = {},
): Promise<EnclaveServer & { readonly peer: PeerDemands }> {
  const { driver, demands } = await intelMachine('tdx')
  const server = await serveEnclave({
    host: '127.0.0.1',
    port: 0,
    identity: await identityOf(t, driver),
    peers: 'anyone',
    enclave,
    ...options,
  })
  t.after(() => server.close())
  return { ...server, peer: demands }
}

/**
 * Timers that go only as far as a test lets them. Those of node:test take one away from the others where a timer is
 * cleared that has been called already.
 */
export function timersOf(t: TestContext): { readonly tick: (ms: number) => void } {
  const waiting = new Map<object, { readonly call: () => void; readonly dueMs: number }>()
  let nowMs = 0
  const set = (call: () => void, delayMs: number): object => {
    const timer = { unref: () => timer }
    waiting.set(timer, { call, dueMs: nowMs + delayMs })
    return timer
  }
  t.mock.method(globalThis, 'setTimeout', set as never)
  t.mock.method(globalThis, 'clearTimeout', ((timer: object) => waiting.delete(timer)) as never)
  return {
    tick: ms => {
      nowMs += ms
      for (const [timer, { call, dueMs }] of waiting) if (dueMs <= nowMs && waiting.delete(timer)) call()
    },
  }
}

export async function rejectsCode(code: ChannelErrorCode, promise: Promise<unknown>): Promise<ChannelError> {
  let found: ChannelError | null = null
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof ChannelError, `want ChannelError ${code}, got ${String(error)}`)
    assert.equal(error.code, code, error.message)
    found = error
    return true
  })
  assert.ok(found)
  return found
}
