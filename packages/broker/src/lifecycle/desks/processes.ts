// The processes of a broker that serve its clients, each watched from the moment that it is started: one may end before anybody
// has asked anything of it.

import { type ChildProcess, fork } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { isSea } from 'node:sea'
import type { BrokerConfig } from '../../config/settings.ts'
import { StartError } from '../../errors.ts'
import type { Port } from './line.ts'

/** Of settings in the environment. */
const PREFIX = 'CASEMATE_'

/** One that has been started. */
export interface DeskProcess extends Port {
  /** Settled where it has ended, with how. */
  readonly ended: Promise<Error>
  /** Ends it at once. Resolves when it has ended. */
  end(): Promise<void>
}

/**
 * Processes that load their code while the state is opened.
 * @throws {StartError} `config-conflict` where this program cannot have any
 */
export function startProcesses({
  serverProcesses,
}: Pick<BrokerConfig, 'serverProcesses'>): readonly DeskProcess[] {
  if (serverProcesses > 0) demandProcesses()
  const script = new URL('./desk-process.ts', import.meta.url)
  return Array.from({ length: serverProcesses }, () =>
    watched(
      fork(script, {
        env: environment(),
        serialization: 'advanced',
        // Lines of the log come by message; what Node itself says of an end is for whoever reads this process's.
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    ),
  )
}

export function watched(child: Pick<ChildProcess, 'on' | 'send' | 'kill'>): DeskProcess {
  const { promise, resolve } = Promise.withResolvers<Error>()
  child.on('error', resolve)
  child.on('exit', (code: number | null, signal: NodeJS.Signals | null) =>
    resolve(new Error(signal === null ? `it ended with ${code}` : `it was ended by ${signal}`)),
  )
  // Its end of the line is closed where it cannot be understood any more.
  child.on('disconnect', () => child.kill('SIGKILL'))
  return {
    ended: promise,
    listen: listener => void child.on('message', (message, handle) => listener(message, handle as Socket)),
    // Whether it arrives, its end tells.
    send: (message, connection, onSent) =>
      void child.send(message as object, connection, undefined, () => onSent?.()),
    end: async () => {
      if (child.kill('SIGKILL')) await promise
    },
  }
}

/** Settings come by message, without the passphrase that may be among them. Compiled code is kept only where this says so. */
function environment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith(PREFIX))
  const directory = getCompileCacheDir()
  const cache = directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
  return { ...Object.fromEntries(others), ...cache }
}

function demandProcesses(): void {
  if (process.platform !== 'win32' && !isSea()) return
  throw new StartError('config-conflict', 'serverProcesses is set, and this program serves in one process', {
    hint: 'unset it, or run the command with Node from its package, and not on Windows',
  })
}
