// The tour on a broker that stays: whole on a new one, taken up where it was cut off, or what it has left looked at again.

import { join } from 'node:path'
import { type BrokerConfig, prepareDataDirectory, type RunningBroker } from '@casemate/broker'
import type { Simulator } from '../attesting/simulator.ts'
import {
  beginTour,
  endTour,
  SIMULATOR_DIRECTORY,
  TOUR_DIRECTORY,
  tourState,
} from '../broker/data-directory.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { nextCommands } from '../tour/next-commands.ts'
import type { TourStep } from '../tour/step.ts'
import {
  LOST_TOKEN,
  nextLines,
  openingLines,
  stepLines,
  tokenFileLines,
  tokenLines,
} from '../tour/tour-text.ts'
import { makeSimulator, startedJson } from './start.ts'
import { saveToken, type TokenFile, tokenFile } from './start-token.ts'

interface OpenTour {
  readonly simulator: Simulator
  readonly state: 'fresh' | 'unfinished' | 'finished'
}

/** A simulator where the tour may make one: beside its own data, or where no broker has kept any yet. */
export async function openTour({ dataDir }: BrokerConfig, terminal: Terminal): Promise<OpenTour | null> {
  prepareDataDirectory(dataDir)
  const state = tourState(dataDir)
  if (state === 'other') {
    terminal.tell(
      `${dataDir} is in use without the tour, and nothing in it is changed: starting without the tour`,
    )
    terminal.note('hint: --data-dir DIR gives the tour a directory of its own; casemate demo needs none')
    return null
  }
  if (state === 'fresh') beginTour(dataDir)
  return { simulator: await makeSimulator(join(dataDir, SIMULATOR_DIRECTORY), terminal.now()), state }
}

interface TourParts extends OpenTour {
  readonly broker: RunningBroker
  readonly config: BrokerConfig
  /** The token that this start has made. */
  readonly made: string | null
  /** The one that an earlier start has left. */
  readonly saved: string | null
  readonly terminal: Terminal
  readonly stop: AbortSignal
}

export async function runTour(parts: TourParts): Promise<void> {
  const { broker, config, made, saved, terminal, state } = parts
  const { dataDir } = config
  const { palette, json, print } = terminal
  const say = (...lines: string[]): void => (json ? undefined : print([...lines, '']))
  // Saved before anything else is done with it: it exists nowhere but here.
  if (made !== null) saveToken(dataDir, made)
  const token = made ?? saved

  say('', `  ${palette.bold('Casemate')} is up at ${palette.bold(broker.url)}`, `  Its data is in ${dataDir}`)
  if (state !== 'finished') say(...openingLines(join(dataDir, SIMULATOR_DIRECTORY), terminal))
  const steps = await tourSteps(parts, token, say)
  const kept = await tokenFile(broker, dataDir)
  if (kept === null) say(palette.dim(`  ${LOST_TOKEN}`))
  else if (made !== null || state !== 'finished') say(...keptTokenLines(kept, token ?? '', terminal))
  if (json) print([JSON.stringify({ ...startedJson(broker, kept), steps })])
  say(...nextLines(nextCommands(dataDir, broker.url), terminal))
  say(palette.dim('  Ctrl-C stops the broker; the next start has the same data.'))
}

/** On a screen the token itself, once. */
function keptTokenLines({ path, endsAt }: TokenFile, token: string, terminal: Terminal): string[] {
  const end = new Date(endsAt)
  return terminal.columns === null
    ? tokenFileLines(path, end, terminal)
    : tokenLines({ token, savedTo: path, endsAt: end }, terminal)
}

async function tourSteps(
  { broker, config, simulator, state, stop, terminal }: TourParts,
  token: string | null,
  say: (...lines: string[]) => void,
): Promise<readonly TourStep[]> {
  const { fullTour, returnTour, unlessChanged } = await import('../tour/tour.ts')
  const steps: TourStep[] = []
  const tell = (step: TourStep): void => {
    stop.throwIfAborted()
    steps.push(step)
    say(...stepLines(step, steps.length, terminal))
  }
  const directory = join(config.dataDir, TOUR_DIRECTORY)
  const options = { url: broker.url, simulator, directory, now: terminal.now, tell }
  if (state === 'finished' || token === null) {
    await unlessChanged(tell, returnTour({ ...options, token }))
    return steps
  }
  const tour = fullTour({ ...options, token })
  if (state === 'fresh') await tour
  else if (!(await unlessChanged(tell, tour))) return steps
  endTour(config.dataDir)
  return steps
}
