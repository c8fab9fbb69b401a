// A broker in this process: `up` keeps it until it is told to stop, `demo` until the tour is over.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BrokerConfig,
  createLogger,
  type RunningBroker,
  resolveConfig,
  startBroker,
} from '@casemate/broker'
import { resolveSettings } from './broker-settings.ts'
import type { Answer, Call } from './command.ts'
import { SIMULATOR_DIRECTORY, simulatorExists, TOKEN_FILE } from './data-directory.ts'
import type { Simulator } from './simulated-attester.ts'
import type { Terminal } from './terminal.ts'
import type { TourStep } from './tour.ts'
import { nextLines, openingLines, stepLines, TOUR_SECRET, tokenLines } from './tour-text.ts'

/** Where the tour leaves its quote, receipt and key, below the data directory. */
const TOUR_DIRECTORY = 'tour'

/** The `up` command. */
export async function serve(call: Call): Promise<Answer> {
  const config = resolveSettings(call).values
  const touring = call.given('tour')
  const simulator = touring ? await tourSimulator(config, call.terminal) : null
  const broker = await start(config, simulator, touring, call.terminal)
  const stop = stopSignal()
  try {
    if (simulator === null) announce(broker, config, call.terminal)
    else await runTour({ broker, config, simulator, terminal: call.terminal })
    await stop
  } finally {
    await broker.close()
  }
  if (!call.terminal.json)
    call.terminal.note('casemate: stopped; everything that was acknowledged is on disk')
  return { exitCode: 0, json: { stopped: true }, lines: [] }
}

/** A simulator where the tour may make one: beside its own data, or where no broker has kept any yet. */
async function tourSimulator(config: BrokerConfig, terminal: Terminal): Promise<Simulator | null> {
  const directory = join(config.dataDir, SIMULATOR_DIRECTORY)
  if (simulatorExists(directory) || !existsSync(join(config.dataDir, 'lock'))) {
    return makeSimulator(directory, terminal.now())
  }
  terminal.note(
    `casemate: ${config.dataDir} is in use without the tour, and nothing in it is changed: starting without the tour`,
  )
  terminal.note('hint: --data-dir DIR gives the tour a directory of its own; casemate demo needs none')
  return null
}

/** A broker without the tour loads neither a simulator nor a client. */
async function makeSimulator(directory: string, now: Date): Promise<Simulator> {
  const { openSimulator } = await import('./simulated-attester.ts')
  return openSimulator(directory, now)
}

// oxlint-disable-next-line max-params -- what a broker is started with, and the screen
async function start(
  config: BrokerConfig,
  simulator: Simulator | null,
  touring: boolean,
  { now, note, print }: Terminal,
): Promise<RunningBroker> {
  // On a screen that tells a story, log lines go to stderr, and only those that say that something is wrong.
  const logger = touring
    ? createLogger('error', { write: line => note(line.trimEnd()) })
    : createLogger(config.logLevel, { write: line => print([line.trimEnd()]) })
  return startBroker(config, {
    now,
    anchors: simulator?.anchors ?? [],
    endorsements: simulator?.endorsements ?? [],
    logger,
  })
}

/** Resolves at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        resolve()
      })
    }
  })
}

function announce(broker: RunningBroker, { dataDir }: BrokerConfig, terminal: Terminal): void {
  if (terminal.json) {
    terminal.print([JSON.stringify(startedJson(broker))])
    return
  }
  const { bold } = terminal.palette
  terminal.note(`casemate: the broker serves ${bold(broker.url)}, with its data in ${dataDir}`)
  if (broker.metricsUrl !== null) terminal.note(`casemate: metrics are at ${broker.metricsUrl}`)
  if (broker.firstAdminToken !== null) {
    for (const line of tokenLines(broker.firstAdminToken, null, terminal.palette)) terminal.note(line)
  }
}

function startedJson({ url, metricsUrl, firstAdminToken }: RunningBroker): object {
  return { url, metricsUrl, firstAdminToken }
}

interface TourParts {
  readonly broker: RunningBroker
  readonly config: BrokerConfig
  readonly simulator: Simulator
  readonly terminal: Terminal
}

async function runTour({ broker, config, simulator, terminal }: TourParts): Promise<void> {
  const { dataDir } = config
  const { palette, json, print, now } = terminal
  const say = (...lines: string[]): void => (json ? undefined : print([...lines, '']))
  const tokenPath = join(dataDir, TOKEN_FILE)
  const fresh = broker.firstAdminToken
  // Saved before anything else is done with it: it exists nowhere but here.
  if (fresh !== null) writeFileSync(tokenPath, `${fresh}\n`, { mode: 0o600 })
  const token = fresh ?? savedToken(tokenPath)

  const { fullTour, returnTour } = await import('./tour.ts')
  const steps: TourStep[] = []
  const tell = (step: TourStep): void => {
    steps.push(step)
    say(...stepLines(step, steps.length, terminal))
  }
  const directory = join(dataDir, TOUR_DIRECTORY)
  const options = { url: broker.url, simulator, directory, now, tell }
  say('', `  ${palette.bold('Casemate')} is up at ${palette.bold(broker.url)}, with its data in ${dataDir}`)
  if (fresh !== null) {
    say(...openingLines(join(dataDir, SIMULATOR_DIRECTORY), terminal))
    await fullTour({ ...options, token: fresh })
    say(...tokenLines(fresh, tokenPath, palette))
  } else {
    await returnTour({ ...options, token })
  }
  if (json) print([JSON.stringify({ ...startedJson(broker), steps })])
  say(...nextLines(nextCommands(config, broker.url), palette))
  say(palette.dim('  Ctrl-C stops the broker; the next start has the same data.'))
}

function savedToken(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null
}

/** Three commands that work as they stand, wherever the data is and the broker listens. */
function nextCommands({ dataDir }: BrokerConfig, url: string): readonly (readonly [string, string])[] {
  const at = (...names: string[]): string => join(dataDir, ...names)
  const environment = dataDir === '.casemate' ? '' : `CASEMATE_DATA_DIR=${dataDir} `
  const server = url === 'http://127.0.0.1:8080' ? '' : ` --server ${url}`
  const receipt = at(TOUR_DIRECTORY, 'receipt.json')
  return [
    [
      'be the workload: attest, and fetch the secret (add --code other to be refused)',
      `${environment}npx casemate secret get ${TOUR_SECRET}${server}`,
    ],
    [
      'look at the evidence, check by check, and at why a real policy would refuse it',
      `npx casemate verify ${at(TOUR_DIRECTORY, 'quote.bin')} --trust ${at(SIMULATOR_DIRECTORY, 'public-trust.json')}`,
    ],
    [
      'be the auditor: check the receipt of the release, offline',
      `npx casemate log verify ${receipt} --key ${at(TOUR_DIRECTORY, 'log.key')}`,
    ],
  ]
}

/** The `demo` command. */
export async function demonstrate(call: Call): Promise<Answer> {
  const { terminal } = call
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-demo-'))
  try {
    const settings = { 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off', offline: 'true' }
    const config = resolveConfig({ flags: settings, env: {}, file: null }).values
    const simulator = await makeSimulator(join(dataDir, SIMULATOR_DIRECTORY), terminal.now())
    const broker = await start(config, simulator, true, terminal)
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
  const { fullTour } = await import('./tour.ts')
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
