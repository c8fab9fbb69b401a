// Starts a broker in this process, with the simulator beside it where a tour has left one.

import { join } from 'node:path'
import {
  type Beginning,
  type BrokerConfig,
  createLogger,
  prepareDataDirectory,
  type RunningBroker,
  startBroker,
} from '@casemate/broker'
import { simulatorExists } from '@casemate/enclave/simulator-files'
import type { Simulator } from '../attesting/simulator.ts'
import { SIMULATOR_DIRECTORY } from '../broker/data-directory.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { TokenFile } from './start-token.ts'

/**
 * What an earlier tour trusts is part of its data directory, or its guests would be refused by a start without the tour.
 * The policy decides what simulated evidence is good for, as ever.
 */
export async function simulatorOfTour(
  { dataDir }: BrokerConfig,
  terminal: Terminal,
): Promise<Simulator | null> {
  const directory = join(dataDir, SIMULATOR_DIRECTORY)
  if (!simulatorExists(directory)) return null
  prepareDataDirectory(dataDir)
  return makeSimulator(directory, terminal.now())
}

/** A broker that no tour was run on loads neither a simulator nor a client. */
export async function makeSimulator(directory: string, now: Date): Promise<Simulator> {
  const { openSimulator } = await import('../attesting/simulator.ts')
  return openSimulator(directory, now)
}

interface Start {
  readonly config: BrokerConfig
  readonly simulator: Simulator | null
  readonly touring: boolean
  readonly beginning: Beginning
}

export async function start(
  { config, simulator, touring, beginning }: Start,
  { now, note, serverLog }: Terminal,
): Promise<RunningBroker> {
  // On a screen that tells a story, log lines go to stderr, and only those that say that something is wrong.
  const logger = touring
    ? createLogger('error', { write: line => note(line.trimEnd()) })
    : createLogger(
        config.logLevel,
        serverLog(lines => logger.warn({ lines }, 'lines of the log were lost')),
      )
  return startBroker(config, {
    now,
    elapsedMs: () => performance.now(),
    anchors: simulator?.anchors ?? [],
    endorsements: simulator?.endorsements ?? [],
    logger,
    beginning,
  })
}

/** Never the token itself: this line may be kept in a log. */
export function startedJson({ url, metricsUrl }: RunningBroker, adminTokenFile: TokenFile | null): object {
  return { url, metricsUrl, adminTokenFile }
}
