// Every example plays on a stage: a simulated platform, a broker and an enclave's server in processes of their own, and
// a data owner, who is this process. The owner builds and signs the enclave, keeps a data key in the broker, and says
// who may have it; the rest proves itself or gets nothing.

import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectEnclave, type EnclaveClient, type PeerDemands } from '@casemate/channel'
import { type Admin, fetchInfo, openAdmin, type ProvedRelease } from '@casemate/client'
import {
  type BuildOptions,
  buildEnclave,
  identityOf,
  openBrokerRoot,
  openSimulatedPlatform,
  parseImage,
  signImage,
  type UnsealOptions,
  verifyImage,
} from '@casemate/enclave'
import { toHex } from '@casemate/evidence/bytes'
import type { BrokerReady, BrokerStart } from './broker.ts'
import { type Party, startParty } from './child.ts'
import { proveReleases } from './receipts.ts'
import type { ServerReady, ServerStart } from './server.ts'
import {
  demandsOf,
  type EnclaveIdentity,
  type PlatformKind,
  policyFor,
  referencesFor,
  ruleFor,
} from './trust.ts'

/** Of a data key, in bytes. */
const DATA_KEY_SIZE = 32

export interface StageOptions {
  /** Of the example: names the secret, `name/key/data`, and the folder. */
  readonly name: string
  readonly build: BuildOptions
  /** The module whose `openService` runs in the enclave’s server, see `service.ts`. */
  readonly service: URL
  /** The developer’s, as `newSigningKey` makes it. Default: a fresh one. */
  readonly signingKey?: KeyObject
  /** Default 'sgx'. */
  readonly kind?: PlatformKind
  /** A folder to keep, which does not exist yet; else a temporary one, which `close` removes. */
  readonly directory?: string | undefined
  /** Closes the stage when it aborts: whatever is under way then fails. */
  readonly signal?: AbortSignal
}

export interface StageImage extends EnclaveIdentity {
  /** Signed. */
  readonly bytes: Uint8Array
}

export interface Stage {
  readonly directory: string
  readonly image: StageImage
  /** With which the data owner seals for the enclave, and opens what it sealed. */
  readonly owner: UnsealOptions
  readonly broker: {
    readonly url: string
    readonly admin: Admin
    /** The public key of its log. */
    readonly ledgerKey: string
    readonly pid: number
  }
  /** The clients' demands on the enclave. */
  readonly demands: PeerDemands
  /** Attests, gets the key, opens the service, listens. @throws {PartyFailed} with the refusal’s code */
  readonly startServer: (options?: ServerOptions) => Promise<Party<ServerReady>>
  /** To the server that was started last, once it has proved itself. @throws {ChannelError} */
  readonly connect: () => Promise<EnclaveClient>
  /** Who got the data key, proved. */
  readonly receipts: () => Promise<readonly ProvedRelease[]>
  /** Ends the processes; removes the folder if it is a temporary one. */
  readonly close: () => Promise<void>
}

export interface ServerOptions {
  /** Another image than the stage’s, for whoever wants to see it refused. */
  readonly image?: Uint8Array
  readonly debug?: boolean
}

/** RSA-3072 with exponent 3, as SGX wants it. It signs in this process and is not kept. */
export function newSigningKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }).privateKey
}

/** The day, as a SIGSTRUCT has it. */
export function dateOf(now: Date): string {
  return now.toISOString().slice(0, 10).replaceAll('-', '')
}

/** Plays on a stage, which is closed however that ends. */
export async function onStage(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await openStage(options)
  try {
    await play(stage)
  } finally {
    await stage.close()
  }
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { name, directory: kept, signal } = options
  signal?.throwIfAborted()
  const directory = kept ?? mkdtempSync(join(tmpdir(), `casemate-${name}-`))
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const closers: (() => Promise<void>)[] = []
  const finish = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer()
    if (kept === undefined) rmSync(directory, { recursive: true, force: true })
  }
  // Each time anew, one after the other: what was being opened when it was closed has to be closed as well.
  let closing = Promise.resolve()
  const close = (): Promise<void> => (closing = closing.then(finish))
  const onAbort = (): void => void close()
  signal?.addEventListener('abort', onAbort, { once: true })
  closers.push(async () => signal?.removeEventListener('abort', onAbort))
  try {
    return await furnish({ ...options, directory }, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function furnish(
  options: StageOptions & { readonly directory: string },
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Stage> {
  const { directory, kind = 'sgx', name } = options
  const unsigned = await buildEnclave(options.build)
  options.signal?.throwIfAborted()
  const bytes = signImage(unsigned, {
    privateKey: options.signingKey ?? newSigningKey(),
    date: dateOf(new Date()),
  })
  const image = describeImage(bytes)
  const platformDirectory = join(directory, 'platform')
  const platform = await openSimulatedPlatform(platformDirectory, new Date())
  const { trust } = platform
  const start: BrokerStart = { dataDir: join(directory, 'broker'), trust }
  const broker = await startParty<BrokerReady>(new URL('./broker.ts', import.meta.url), start)
  closers.push(broker.stop)
  options.signal?.throwIfAborted()
  const { url, adminToken } = broker.ready
  const admin = openAdmin({ url, token: adminToken })
  const policy = policyFor(image, kind)
  const references = await referencesFor(platform, kind)
  if (references !== null) await admin.references.put('machine', references, 'new')
  await admin.policies.put('default', policy, 'new')
  await admin.rules.put(name, ruleFor(`${name}/key/*`, image), 'new')
  const keyPath = `${name}/key/data`
  const owner = await makeDataKey(admin, keyPath, bytes)
  const { ledgerKey } = await fetchInfo({ url })
  const demands = demandsOf(policy, references, trust)
  let last: ServerReady | null = null
  return {
    directory,
    image,
    owner,
    broker: { url, admin, ledgerKey, pid: broker.pid },
    demands,
    startServer: async ({ image = bytes, debug = false } = {}) => {
      const service = options.service.href
      const start: ServerStart = {
        image,
        debug,
        brokerUrl: url,
        platformDirectory,
        kind,
        keyPath,
        service,
        directory,
      }
      const server = await startParty<ServerReady>(new URL('./server.ts', import.meta.url), start)
      closers.push(server.stop)
      options.signal?.throwIfAborted()
      last = server.ready
      return server
    },
    connect: async () => {
      if (last === null) throw new TypeError('no server was started')
      return connectEnclave({ ...last, peer: demands })
    },
    receipts: () => proveReleases(admin, { path: keyPath, ledgerKey }),
    close,
  }
}

function describeImage(bytes: Uint8Array): StageImage {
  const image = parseImage(bytes)
  const { mrSigner } = verifyImage(image)
  const { isvProdId, isvSvn } = image.manifest
  return { bytes, mrEnclave: toHex(image.mrEnclave), mrSigner: toHex(mrSigner), isvProdId, isvSvn }
}

/** A fresh key: in the broker, and in this process as a root that prints nothing. */
async function makeDataKey(admin: Admin, path: string, image: Uint8Array): Promise<UnsealOptions> {
  const key = randomBytes(DATA_KEY_SIZE)
  try {
    await admin.secrets.put(path, key, 'new')
    const parsed = parseImage(image)
    return { root: openBrokerRoot({ path, key }), identity: identityOf(parsed, verifyImage(parsed)) }
  } finally {
    key.fill(0)
  }
}
