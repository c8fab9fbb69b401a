// The machine that runs the enclave, as a process of its own. It has the image and what was sealed, and no key: it
// proves to the broker which code it runs, gets the data key into its memory, starts the enclave, and serves it on a
// channel that proves the same to whoever connects.

import { openIdentity, serveEnclave } from '@casemate/channel'
import { attest, fetchInfo } from '@casemate/client'
import {
  type AttestationDriver,
  Enclave,
  type EnclaveEvent,
  type EnclaveStatement,
  kbsAttester,
  openBrokerRoot,
  openSimulatedDriver,
  parseImage,
  type SealingRoot,
  verifyImage,
} from '@casemate/enclave'
import { type Opened, serveParent } from './child.ts'
import type { OpenService } from './service.ts'
import type { PlatformKind } from './trust.ts'

export interface ServerStart {
  readonly image: Uint8Array
  readonly debug: boolean
  readonly brokerUrl: string
  /** Of the simulated platform. */
  readonly platformDirectory: string
  readonly kind: PlatformKind
  /** The secret that is the data key. */
  readonly keyPath: string
  /** A module that exports `openService`. */
  readonly service: string
  /** The stage’s folder: sealed input and what the service writes. */
  readonly directory: string
}

export interface ServerReady {
  readonly host: string
  readonly port: number
}

await serveParent(async (start: ServerStart): Promise<Opened<ServerReady>> => {
  const statement = statementOf(start.image)
  const driver = await openSimulatedDriver({
    directory: start.platformDirectory,
    kind: start.kind,
    enclave: statement,
    now: new Date(),
  })
  const { sealing, secrets } = await fetchKeys(driver, statement, start)
  const replaced: (() => void)[] = []
  const report = (event: EnclaveEvent): void => {
    if (event.type === 'instance-replaced') for (const listener of replaced) listener()
  }
  const openEnclave = (report: (event: EnclaveEvent) => void): Promise<Enclave> =>
    Enclave.create(start.image, {
      platform: { sealing, secrets, report, log: ({ text }) => process.stderr.write(`enclave: ${text}\n`) },
      debug: start.debug,
      // Who must have signed what is for the broker and the clients to say; this machine convinces nobody.
      signers: 'any',
      measurement: 'any',
    })
  const enclave = await openEnclave(report)
  const { openService } = (await import(start.service)) as { readonly openService: OpenService }
  const { directory } = start
  const onReplaced = (listener: () => void): void => void replaced.push(listener)
  const service = await openService(enclave, { directory, onReplaced, openEnclave })
  const identity = await openIdentity({ driver, statement })
  const server = await serveEnclave({
    host: '127.0.0.1',
    port: 0,
    identity,
    peers: 'anyone',
    enclave: service.target,
    ...(service.dataPort === undefined ? {} : { dataPort: service.dataPort }),
  })
  return {
    ready: { host: server.host, port: server.port },
    close: async () => {
      await server.close()
      identity.close()
      await service.close()
      await enclave.close()
    },
  }
})

/** @throws {EnclaveError} invalid-measurement and others, where image and signature do not belong together */
function statementOf(bytes: Uint8Array): EnclaveStatement {
  const image = parseImage(bytes)
  return { sigstruct: verifyImage(image).bytes }
}

/** The keys that the broker releases to code that has proved itself. @throws {BrokerRefusal} */
async function fetchKeys(
  driver: AttestationDriver,
  statement: EnclaveStatement,
  { brokerUrl: url, keyPath, image }: ServerStart,
): Promise<{ sealing: SealingRoot; secrets: Map<string, Uint8Array> }> {
  const { issuer } = await fetchInfo({ url })
  const session = await attest({ url, attester: kbsAttester(driver, statement), issuer })
  const key = await session.getSecret(keyPath)
  const sealing = openBrokerRoot({ path: keyPath, key })
  key.fill(0)
  const secrets = new Map<string, Uint8Array>()
  for (const path of parseImage(image).manifest.secrets) secrets.set(path, await session.getSecret(path))
  return { sealing, secrets }
}
