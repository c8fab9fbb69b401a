// Listening, draining, and certificates that change in between.

import { once } from 'node:events'
import type { Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { BrokerConfig } from '../config/settings.ts'
import { StartError, type StartErrorCode } from '../errors.ts'
import { describeError, type Logger } from '../http/logging.ts'
import { describeTls, type TlsFiles, type TlsReloader } from '../http/tls.ts'

const IDLE_SWEEP_MS = 20

/** By the system's code. */
const LISTEN_FAILURES: Readonly<Record<string, readonly [StartErrorCode, string]>> = {
  EADDRINUSE: ['address-in-use', 'something listens there already'],
  EADDRNOTAVAIL: ['address-unusable', 'that is no address of this machine'],
  EACCES: ['address-unusable', 'this user may not listen there'],
  ENOTFOUND: ['address-unusable', 'that name has no address'],
}

const HINTS = {
  listen: 'choose another address with --listen',
  metricsListen:
    'choose another address with --metrics-listen, or turn metrics off with --metrics-listen off',
} as const

type ListenSetting = 'listen' | 'metricsListen'

/** Where a server may listen. */
interface Place {
  readonly host: string
  readonly port: number
}

/**
 * Listens, and says where.
 * @throws {StartError} `address-in-use`, `address-unusable`
 */
export function listen(app: FastifyInstance, setting: ListenSetting, config: BrokerConfig): Promise<string> {
  const scheme = schemeOf(config)
  // Fastify does not know of our TLS.
  const listenTextResolver = (heard: string) => `${setting} is ${heard.replace(/^https?:/, `${scheme}:`)}`
  return listenAt(config, setting, async place => {
    await app.listen({ ...place, listenTextResolver })
    return app.server
  })
}

/** The same for a server that hands its connections on. @throws {StartError} as {@link listen} */
export async function listenOn(server: Server, config: BrokerConfig, logger: Logger): Promise<string> {
  const url = await listenAt(config, 'listen', async place => {
    server.listen(place)
    await once(server, 'listening')
    return server
  })
  logger.info(`listen is ${url}`)
  return url
}

async function listenAt(
  config: BrokerConfig,
  setting: ListenSetting,
  bind: (place: Place) => Promise<Server>,
): Promise<string> {
  const address = config[setting]
  if (address === 'off') throw new TypeError(`${setting} is off`)
  // `localhost` would be whatever a resolver says.
  const host = address.host === 'localhost' ? '127.0.0.1' : address.host
  try {
    const bound = (await bind({ host, port: address.port })).address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
    return `${schemeOf(config)}://${host.includes(':') ? `[${host}]` : host}:${port}`
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const [refusal, reason] = LISTEN_FAILURES[code] ?? []
    if (refusal === undefined) throw error
    throw new StartError(refusal, `${host}:${address.port} (${setting}): ${reason}`, {
      hint: HINTS[setting],
      cause: error,
    })
  }
}

function schemeOf({ tlsCertFile }: BrokerConfig): 'http' | 'https' {
  return tlsCertFile === null ? 'http' : 'https'
}

/** Takes no new requests, waits for those in flight, then cuts what is still open after `graceMs`. */
export async function drain(app: FastifyInstance, graceMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs)
  // A connection that falls idle after its last answer would otherwise be waited for.
  const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS)
  try {
    await app.close()
  } finally {
    clearTimeout(cut)
    clearInterval(sweep)
  }
}

/** Null where there is no TLS. */
export function tlsFilesOf({ tlsCertFile, tlsKeyFile }: BrokerConfig): TlsFiles | null {
  return tlsCertFile === null || tlsKeyFile === null ? null : { certFile: tlsCertFile, keyFile: tlsKeyFile }
}

/** Looks at the files in service at an interval; the result stops it. A failure is logged once, until it is over. */
export function watchTls(reloader: TlsReloader, intervalMs: number, logger: Logger): () => void {
  let said: string | null = null
  const look = () => {
    try {
      const material = reloader.reload(reloader.files)
      said = null
      if (material !== null)
        logger.info({ ...reloader.files, ...describeTls(material) }, 'TLS certificate reloaded')
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      if (error.message === said) return
      said = error.message
      const line = { failure: describeError(error), reason: error.message }
      logger.error(line, 'TLS files could not be read again; the certificate in service stays')
    }
  }
  const timer = setInterval(look, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}
