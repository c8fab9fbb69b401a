// The threads of a broker, each watched from the moment that it is started: one may end before anybody has asked anything of it.

import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { isSea } from 'node:sea'
import { Worker } from 'node:worker_threads'
import type { BrokerConfig } from '../../config/settings.ts'
import { StartError } from '../../errors.ts'

/** From here on Node hands a connection to another thread. */
const NODE_MAJOR = 26

/** A thread that has been started. */
export interface Thread {
  readonly worker: Pick<Worker, 'on' | 'postMessage' | 'terminate'>
  /** Settled where it has ended, or what it says cannot be read, with the reason if there is one. */
  readonly ended: Promise<unknown>
}

/**
 * Threads that load their code while the state is opened.
 * @throws {StartError} `config-conflict` where this program cannot have threads that serve
 */
export function startThreads({ serverThreads }: Pick<BrokerConfig, 'serverThreads'>): readonly Thread[] {
  if (serverThreads > 0) demandThreads()
  const script = new URL('./desk-thread.ts', import.meta.url)
  return Array.from({ length: serverThreads }, () =>
    watched(new Worker(script, { name: 'desk', env: environment() })),
  )
}

export function watched(worker: Thread['worker']): Thread {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  worker.on('error', resolve)
  worker.on('messageerror', resolve)
  worker.on('exit', () => resolve(undefined))
  return { worker, ended: promise }
}

/** A thread keeps compiled code only where its environment says so. */
function environment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir()
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(directory) }
}

function demandThreads(): void {
  // Nor does it on Windows.
  const isNewEnough = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR
  if (isNewEnough && process.platform !== 'win32' && !isSea()) return
  throw new StartError('config-conflict', 'serverThreads is set, and this program serves in one thread', {
    hint: `unset it, or run the command with Node ${NODE_MAJOR} or later from its package, and not on Windows`,
  })
}
