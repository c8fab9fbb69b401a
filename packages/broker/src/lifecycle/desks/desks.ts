// Clients served by threads of their own: this one listens, admits connections and hands each to a desk. All of a client
// go to the same desk, so that what it may do is counted in one place; a trusted proxy's, who is many clients, to the one
// that has the fewest.

import { createHash } from 'node:crypto'
import { getCompileCacheDir } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { isSea } from 'node:sea'
import { Worker } from 'node:worker_threads'
import { clientOf } from '../../client-address.ts'
import type { BrokerConfig } from '../../config/settings.ts'
import { BrokerError, StartError } from '../../errors.ts'
import { tellerOfClosed } from '../../http/closed-connections.ts'
import { limitConnections } from '../../http/connection-limit.ts'
import { describeError } from '../../http/logging.ts'
import { Networks } from '../../http/networks.ts'
import { strangerAllowance } from '../../http/stranger-allowance.ts'
import type { Front, FrontParts } from '../front.ts'
import { listenOn } from '../listening.ts'
import { DATABASE_FILE } from '../state.ts'
import type { DeskMethods, Opening } from './desk.ts'
import { Line } from './line.ts'
import { PlacedConnection } from './placed-connection.ts'
import { type WriterParts, writerFor } from './writer.ts'

/** From here on Node hands a connection to another thread. */
const NODE_MAJOR = 26

/**
 * Threads that load their code while the state is opened.
 * @throws {StartError} `config-conflict` where this program cannot have threads that serve
 */
export function startThreads({ serverThreads }: Pick<BrokerConfig, 'serverThreads'>): readonly Worker[] {
  if (serverThreads > 0) demandThreads()
  const script = new URL('./desk.ts', import.meta.url)
  return Array.from({ length: serverThreads }, () => new Worker(script, { name: 'desk', env: environment() }))
}

/** A thread keeps compiled code only where its environment says so. */
function environment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir()
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(directory) }
}

/** Whoever started the threads ends them where this fails. */
export async function openDesks(parts: FrontParts, threads: readonly Worker[]): Promise<Front> {
  const { config, core, shared, health } = parts
  const { logger } = core.context
  const allowance = strangerAllowance(config, core.elapsedMs)
  const failed = Promise.withResolvers<Error>()
  const writer = { shared, health, logger, allowance }
  const desks = threads.map(thread => new Desk(thread, writer, failed.resolve))
  await Promise.all(desks.map(desk => desk.line.call('open', openingOf(parts))))
  const door = createServer({ pauseOnConnect: true, noDelay: true })
  const proxies = new Networks(config.trustedProxies)
  const tellClosed = tellerOfClosed(logger, core.elapsedMs)
  limitConnections(
    door,
    { config, allowance, tellClosed },
    {
      place: socket => new PlacedConnection(deskFor(socket, desks, proxies), socket.remoteAddress),
      serve: (socket, placed) => placed.handOver(socket),
    },
  )
  return {
    apps: [],
    failed: failed.promise,
    listen: () => listenOn(door, config, logger),
    metrics: () => Promise.all(desks.map(desk => desk.line.call('metrics'))),
    reload: async wanted => {
      await Promise.all(desks.map(desk => desk.line.call('reload', portable(wanted))))
    },
    close: async graceMs => {
      door.close()
      await Promise.all(desks.map(desk => desk.close(graceMs)))
    },
  }
}

function demandThreads(): void {
  const isAble = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR && !isSea()
  if (isAble) return
  throw new StartError('config-conflict', 'serverThreads is set, and this program serves in one thread', {
    hint: `unset it, or run the command with Node ${NODE_MAJOR} or later from its package`,
  })
}

function openingOf({ config, deps, shared }: FrontParts): Opening {
  const { ledger, ledgerKey } = shared
  return {
    config: portable(config),
    database: join(config.dataDir, DATABASE_FILE),
    ledger: { origin: ledger.origin, verifierKey: ledger.verifierKey, key: ledgerKey },
    anchors: deps.anchors,
    endorsements: deps.endorsements,
  }
}

/** Desks open no key file. */
function portable(config: FrontParts['config']): FrontParts['config'] {
  return { ...config, kekPassphrase: null }
}

function deskFor({ remoteAddress = '' }: Socket, desks: readonly Desk[], proxies: Networks): Desk {
  const place = proxies.has(remoteAddress) ? fewest(desks) : numberOf(clientOf(remoteAddress)) % desks.length
  const desk = desks[place]
  if (desk === undefined) throw new TypeError('there is no desk')
  return desk
}

function fewest(desks: readonly Desk[]): number {
  const counts = desks.map(({ size }) => size)
  return counts.indexOf(Math.min(...counts))
}

function numberOf(client: string): number {
  return createHash('sha256').update(client).digest().readUInt32BE()
}

class Desk {
  readonly line: Line<DeskMethods>
  readonly #worker: Worker
  /** By the number that both threads know them by. */
  readonly #placed = new Map<number, PlacedConnection>()
  readonly #numbers = new Map<PlacedConnection, number>()
  #count = 0
  #isClosing = false
  #hasEnded = false

  constructor(worker: Worker, parts: Omit<WriterParts, 'onClosed'>, onFailure: (failure: Error) => void) {
    this.#worker = worker
    this.line = new Line(this.#worker, writerFor({ ...parts, onClosed: number => this.#closed(number) }))
    const fail = (cause: unknown) => {
      if (this.#isClosing) return
      this.#hasEnded = true
      parts.logger.error({ failure: describeError(cause) }, 'a thread that serves clients has ended')
      const failure = new BrokerError('internal', 'a thread that serves clients has ended', { cause })
      this.line.fail(failure)
      onFailure(failure)
    }
    this.#worker.on('error', fail)
    this.#worker.on('messageerror', fail)
    this.#worker.on('exit', () => fail(undefined))
  }

  /** Connections that it has now. */
  get size(): number {
    return this.#placed.size
  }

  serve(socket: Socket, placed: PlacedConnection): void {
    const number = ++this.#count
    this.#placed.set(number, placed)
    this.#numbers.set(placed, number)
    try {
      this.line.tell('serve', [socket, number], [socket])
    } catch {
      // Gone in this moment: there is nothing left to hand over.
      socket.destroy()
      this.#closed(number)
    }
  }

  end(placed: PlacedConnection): void {
    const number = this.#numbers.get(placed)
    if (number !== undefined) this.line.tell('end', [number])
  }

  async close(graceMs: number): Promise<void> {
    try {
      if (!this.#hasEnded) await this.line.call('close', graceMs)
    } finally {
      this.#isClosing = true
      await this.#worker.terminate()
    }
  }

  #closed(number: number): void {
    const placed = this.#placed.get(number)
    if (placed === undefined) return
    this.#placed.delete(number)
    this.#numbers.delete(placed)
    placed.emit('close')
  }
}
