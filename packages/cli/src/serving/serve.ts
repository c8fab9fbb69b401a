// A broker in this process: `up` keeps it until it is told to stop, `demo` until the tour is over.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keepMemoryPrivate } from '@casemate/agent/private-memory'
import {
  type Beginning,
  type BrokerConfig,
  createLogger,
  prepareDataDirectory,
  type ResolvedConfig,
  type RunningBroker,
  resolveConfig,
  startBroker,
} from '@casemate/broker'
import { simulatorExists } from '@casemate/enclave/simulator-files'
import type { Simulator } from '../attesting/simulator.ts'
import {
  beginTour,
  endTour,
  SIMULATOR_DIRECTORY,
  TOUR_DIRECTORY,
  tourState,
} from '../broker/data-directory.ts'
import type { Answer, Call } from '../command.ts'
import { endUnread } from '../terminal/server-log.ts'
import { listenForServerStop, type ServerSignals } from '../terminal/stop-signal.ts'
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
import { beginningOf } from './beginning.ts'
import { rereadSettings, resolveSettings } from './broker-settings.ts'
import { savedToken, saveToken, type TokenFile, tokenFile, tokenNotes } from './start-token.ts'

/** The `up` command. */
export async function serve(call: Call): Promise<Answer> {
  // Before anything is opened: whenever it is told to stop, it closes what is open.
  const stop = listenForServerStop(call.terminal.columns !== null)
  try {
    await serveUntil(stop, call)
    if (!call.terminal.json)
      call.terminal.note('casemate: stopped; everything that was acknowledged is on disk')
    return { exitCode: 0, json: { stopped: true }, lines: [] }
  } finally {
    stop.release()
  }
}

async function serveUntil(signals: ServerSignals, call: Call): Promise<void> {
  const { signal: stop } = signals
  const { terminal } = call
  const touring = call.given('tour')
  const warnings: string[] = []
  // The tour has no secret that anybody could want.
  if (!touring) keepMemoryPrivate(line => warnings.push(line))
  const beginning = beginningOf(call)
  const config = settingsFor(resolveSettings(call), touring)
  const tour = touring ? await openTour(config, terminal) : null
  const simulator = tour?.simulator ?? (await simulatorOfTour(config, terminal))
  if (stop.aborted) return
  const broker = await start({ config, simulator, touring, beginning }, terminal)
  try {
    const saved = savedToken(config.dataDir)
    // The token of a tour that was cut off may have been made and never shown.
    const needed = call.given('new-admin-token') || (tour?.state === 'unfinished' && saved === null)
    const made = broker.firstAdminToken ?? (needed ? await broker.issueAdminToken() : null)
    if (tour === null) await announce({ broker, config, made, terminal, simulator, warnings })
    else await runTour({ broker, config, made, saved, terminal, stop, ...tour })
    signals.onHangUp(() => {
      terminal.note(
        'casemate: SIGHUP: reads TLS files, endorsements and the log level again; the log says the rest',
      )
      void broker.reload(() => settingsFor(rereadSettings(call), touring))
    })
    await stoppedOrFailed(stop, broker)
  } catch (error) {
    if (!stop.aborted) throw error
  } finally {
    await broker.close()
    endUnread()
  }
}

/** A failed ledger cannot be trusted by the process that saw it fail: a supervisor starts another, which checks it. */
async function stoppedOrFailed(stop: AbortSignal, broker: RunningBroker): Promise<void> {
  const failure = await Promise.race([stopped(stop), broker.failed])
  if (failure !== undefined) throw failure
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A newcomer's start must not fail on a port that the tour does not show. */
function settingsFor({ values, origins }: ResolvedConfig, touring: boolean): BrokerConfig {
  return touring && origins.metricsListen === 'default' ? { ...values, metricsListen: 'off' } : values
}

interface OpenTour {
  readonly simulator: Simulator
  readonly state: 'fresh' | 'unfinished' | 'finished'
}

/** A simulator where the tour may make one: beside its own data, or where no broker has kept any yet. */
async function openTour({ dataDir }: BrokerConfig, terminal: Terminal): Promise<OpenTour | null> {
  prepareDataDirectory(dataDir)
  const state = tourState(dataDir)
  if (state === 'other') {
    terminal.note(
      `casemate: ${dataDir} is in use without the tour, and nothing in it is changed: starting without the tour`,
    )
    terminal.note('hint: --data-dir DIR gives the tour a directory of its own; casemate demo needs none')
    return null
  }
  if (state === 'fresh') beginTour(dataDir)
  return { simulator: await makeSimulator(join(dataDir, SIMULATOR_DIRECTORY), terminal.now()), state }
}

/**
 * What an earlier tour trusts is part of its data directory, or its guests would be refused by a start without the tour.
 * The policy decides what simulated evidence is good for, as ever.
 */
async function simulatorOfTour({ dataDir }: BrokerConfig, terminal: Terminal): Promise<Simulator | null> {
  const directory = join(dataDir, SIMULATOR_DIRECTORY)
  if (!simulatorExists(directory)) return null
  prepareDataDirectory(dataDir)
  return makeSimulator(directory, terminal.now())
}

/** A broker that no tour was run on loads neither a simulator nor a client. */
async function makeSimulator(directory: string, now: Date): Promise<Simulator> {
  const { openSimulator } = await import('../attesting/simulator.ts')
  return openSimulator(directory, now)
}

interface Start {
  readonly config: BrokerConfig
  readonly simulator: Simulator | null
  readonly touring: boolean
  readonly beginning: Beginning
}

async function start(
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

interface Announced {
  readonly broker: RunningBroker
  readonly config: BrokerConfig
  /** The token that this start has made. */
  readonly made: string | null
  readonly terminal: Terminal
  /** Whose evidence verifies here, beside the vendors'. */
  readonly simulator: Simulator | null
  readonly warnings: readonly string[]
}

async function announce({ broker, config, made, terminal, simulator, warnings }: Announced): Promise<void> {
  const { dataDir } = config
  // Whatever the tour had begun here, this broker is somebody's own.
  endTour(dataDir)
  if (terminal.json) {
    if (made !== null) saveToken(dataDir, made)
    terminal.print([JSON.stringify(startedJson(broker, await tokenFile(broker, dataDir)))])
    return
  }
  const { bold } = terminal.palette
  terminal.note(`casemate: the broker serves ${bold(broker.url)}, with its data in ${dataDir}`)
  for (const line of warnings) terminal.note(line)
  if (broker.metricsUrl !== null) terminal.note(`casemate: metrics are at ${broker.metricsUrl}`)
  if (simulator !== null) {
    const directory = join(dataDir, SIMULATOR_DIRECTORY)
    terminal.note(
      `casemate: evidence of the simulated machine in ${directory}, which the tour made, verifies here; the policy decides what it is good for`,
    )
    terminal.note('hint: remove that directory, and the next start trusts hardware only')
  }
  for (const line of await tokenNotes(made, broker, dataDir, terminal)) terminal.note(line)
}

/** Never the token itself: this line may be kept in a log. */
function startedJson({ url, metricsUrl }: RunningBroker, adminTokenFile: TokenFile | null): object {
  return { url, metricsUrl, adminTokenFile }
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

async function runTour(parts: TourParts): Promise<void> {
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

/** The `demo` command. */
export async function demonstrate(call: Call): Promise<Answer> {
  const { terminal } = call
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-demo-'))
  try {
    const settings = { 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off', offline: 'true' }
    const config = resolveConfig({ flags: settings, env: {}, file: null }).values
    const simulator = await makeSimulator(join(dataDir, SIMULATOR_DIRECTORY), terminal.now())
    const broker = await start({ config, simulator, touring: true, beginning: 'as-it-was' }, terminal)
    try {
      const steps = await demonstrateOn(broker, simulator, join(dataDir, TOUR_DIRECTORY), terminal)
      const line = `  Nothing is left of this. ${terminal.palette.bold('casemate up --tour')} does the same, and stays.`
      return { exitCode: 0, json: { steps }, lines: [line] }
    } finally {
      await broker.close()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

// oxlint-disable-next-line max-params -- the parts of one tour
async function demonstrateOn(
  broker: RunningBroker,
  simulator: Simulator,
  directory: string,
  terminal: Terminal,
): Promise<readonly TourStep[]> {
  const { json, print, now } = terminal
  const { fullTour } = await import('../tour/tour.ts')
  const steps: TourStep[] = []
  const say = (...lines: string[]): void => (json ? undefined : print([...lines, '']))
  say('', `  ${terminal.palette.bold('Casemate')}`)
  say(...openingLines('a temporary directory', terminal))
  await fullTour({
    url: broker.url,
    token: broker.firstAdminToken ?? '',
    simulator,
    directory,
    now,
    tell: step => {
      steps.push(step)
      say(...stepLines(step, steps.length, terminal))
    },
  })
  return steps
}
