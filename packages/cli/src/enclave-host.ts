// The host of an enclave: attests to a broker for the secrets that the image declares, starts it, and lets others in
// over attested channels. The enclave's statement goes with the evidence, so that others see which image runs.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openIdentity, serveEnclave } from '@casemate/channel'
import {
  type AttestationDriver,
  Enclave,
  type EnclaveImage,
  type EnclavePlatform,
  type EnclaveStatement,
  kbsAttester,
  openSimulatedRoot,
  type SealingRoot,
  verifyImage,
} from '@casemate/enclave'
import type { Answer, Call } from './command.ts'
import { DEFAULT_DATA_DIRECTORY, SEALING_ROOT_FILE } from './data-directory.ts'
import { answerOf, inputOf } from './enclave-input.ts'
import { CliError } from './failure.ts'
import { readBytes } from './files.ts'
import { parseImageOf, readImageFile } from './image-files.ts'
import { nearest } from './nearest.ts'
import { attestWith, openEnclaveDriver } from './simulated-attester.ts'
import { listenForStop } from './stop-signal.ts'

const SEALING_IMPORTS = ['casemate.seal', 'casemate.unseal']

type Secrets = EnclavePlatform['secrets']

/** The `enclave run` command. */
export async function runEnclave(call: Call): Promise<Answer> {
  const [file = ''] = call.positionals
  const bytes = readImageFile(file)
  const image = parseImageOf(file, bytes)
  const address = call.option('listen') === null ? null : addressOf(call.option('listen') ?? '')
  if (address !== null) return listen(call, bytes, { image, address })
  const name = functionOf(call, image.manifest.exports)
  const input = await inputOf(call)
  const secrets = await secretsOf(call, image)
  const enclave = await start(call, bytes, { image, secrets })
  try {
    return answerOf(await enclave.call(name, input))
  } finally {
    await enclave.close()
  }
}

interface Listening {
  readonly image: EnclaveImage
  readonly address: Address
}

/** Answers calls until it is told to stop. */
async function listen(call: Call, bytes: Uint8Array, { image, address }: Listening): Promise<Answer> {
  if (call.given('call') || call.given('input') || call.given('input-file')) {
    throw new CliError('flag-value-invalid', '--listen waits for calls of others, and makes none itself')
  }
  const stop = listenForStop()
  const { terminal } = call
  const driver = await openEnclaveDriver(call, statementOf(image))
  const secrets = await secretsOf(call, image, driver)
  const enclave = await start(call, bytes, { image, secrets })
  const identity = await openIdentity({ driver, statement: statementOf(image), now: terminal.now })
  try {
    const server = await serveEnclave({
      ...address,
      enclave,
      identity,
      peers: 'anyone',
      onRefused: error => terminal.note(`refused: ${error.code}: ${error.message}`),
      onError: error => terminal.note(`failed: ${String(error)}`),
    })
    if (driver.simulated) {
      terminal.note(`casemate: the ${driver.kind} platform is simulated: nothing about hardware is proved`)
    }
    terminal.note(`${image.manifest.name} answers on ${server.host}:${server.port}; Ctrl-C ends it`)
    await stopped(stop.signal)
    await server.close()
  } finally {
    identity.close()
    await enclave.close()
    stop.release()
  }
  return { exitCode: 0, json: { stopped: true }, lines: [] }
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Starts it with the demands that were typed. @throws {EnclaveError} with the code of the first check that fails */
function start(
  call: Call,
  bytes: Uint8Array,
  { image, secrets }: { readonly image: EnclaveImage; readonly secrets: Secrets },
): Promise<Enclave> {
  const seals = SEALING_IMPORTS.some(name => image.manifest.imports.includes(name))
  const signer = call.option('signer')
  return Enclave.create(bytes, {
    platform: {
      sealing: seals ? sealingRoot(call) : null,
      secrets,
      log: ({ text }) => call.terminal.note(`log: ${text}`),
      report: event => call.terminal.note(`event: ${JSON.stringify(event)}`),
    },
    debug: call.given('debug'),
    signers: signer === null ? 'any' : [signer.toLowerCase()],
    measurement: call.option('measurement')?.toLowerCase() ?? 'any',
  })
}

function sealingRoot(call: Call): SealingRoot {
  const directory = call.terminal.env['CASEMATE_DATA_DIR'] ?? DEFAULT_DATA_DIRECTORY
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return openSimulatedRoot({ path: join(directory, SEALING_ROOT_FILE) })
}

/** @throws {EnclaveError} image-unsigned, and what else `verifyImage` finds: nothing unsigned attests */
function statementOf(image: EnclaveImage): EnclaveStatement {
  return { sigstruct: verifyImage(image).bytes }
}

/** From files for a try, else from the broker. @throws {CliError} flag-value-invalid, and what an attestation may */
async function secretsOf(call: Call, image: EnclaveImage, driver?: AttestationDriver): Promise<Secrets> {
  const files = call.options('secret-file').map(fileOf)
  const missing = image.manifest.secrets.filter(path => !files.some(([known]) => known === path))
  if (!call.given('server') || missing.length === 0) return new Map(files)
  const statement = statementOf(image)
  const attester = kbsAttester(driver ?? (await openEnclaveDriver(call, statement)), statement)
  const session = await attestWith(attester, call, 'P-256')
  const released: (readonly [string, Uint8Array])[] = []
  for (const path of missing) released.push([path, await session.getSecret(path)])
  return new Map([...files, ...released])
}

function fileOf(typed: string): readonly [string, Uint8Array] {
  const [, path, file] = /^([^=]+)=(.+)$/s.exec(typed) ?? []
  if (path !== undefined && file !== undefined) return [path, readBytes(file)]
  throw new CliError('flag-value-invalid', `--secret-file is ${typed}, want PATH=FILE`)
}

/** @throws {CliError} argument-missing, flag-value-invalid */
function functionOf(call: Call, functions: readonly string[]): string {
  const typed = call.option('call')
  const [only] = functions
  const all = `one of ${functions.join(', ')}`
  if (typed === null && only !== undefined && functions.length === 1) return only
  if (typed === null) throw new CliError('argument-missing', '--call NAME is missing', { hint: all })
  if (functions.includes(typed)) return typed
  const near = nearest(typed, functions)
  throw new CliError('flag-value-invalid', `the enclave has no function ${typed}`, {
    hint: near === null ? all : `did you mean: --call ${near}`,
  })
}

export interface Address {
  readonly host: string
  readonly port: number
}

const MAX_PORT = 65_535

/** `127.0.0.1:7000`, `[::1]:7000`. @throws {CliError} flag-value-invalid */
export function addressOf(typed: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(typed) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) <= MAX_PORT) return { host, port: Number(port) }
  throw new CliError('flag-value-invalid', `${typed} is no address`, {
    hint: 'HOST:PORT, e.g. 127.0.0.1:7000 or [::1]:7000',
  })
}
