// `casemate up`: a broker in this process until it is told to stop, or cannot be trusted any more.

import { join } from 'node:path'
import { keepMemoryPrivate } from '@casemate/agent/private-memory'
import type { BrokerConfig, ResolvedConfig, RunningBroker } from '@casemate/broker'
import type { Simulator } from '../attesting/simulator.ts'
import { endTour, SIMULATOR_DIRECTORY } from '../broker/data-directory.ts'
import type { Answer, Call } from '../command.ts'
import { endUnread } from '../terminal/server-log.ts'
import { listenForServerStop, type ServerSignals, stoppedBy } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { beginningOf } from './beginning.ts'
import { rereadSettings, resolveSettings } from './broker-settings.ts'
import { simulatorOfTour, start, startedJson } from './start.ts'
import { savedToken, saveToken, tokenFile, tokenNotes } from './start-token.ts'
import { openTour, runTour } from './up-tour.ts'

/** The `up` command. */
export async function serve(call: Call): Promise<Answer> {
  // Before anything is opened: whenever it is told to stop, it closes what is open.
  const stop = listenForServerStop(call.terminal.columns !== null)
  try {
    await serveUntil(stop, call)
    if (!call.terminal.json) call.terminal.tell('stopped; everything that was acknowledged is on disk')
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
      terminal.tell('SIGHUP: reads TLS files, endorsements and the log level again; the log says the rest')
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
  const failure = await Promise.race([stoppedBy(stop), broker.failed])
  if (failure !== undefined) throw failure
}

/** A newcomer's start must not fail on a port that the tour does not show. */
function settingsFor({ values, origins }: ResolvedConfig, touring: boolean): BrokerConfig {
  return touring && origins.metricsListen === 'default' ? { ...values, metricsListen: 'off' } : values
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
  terminal.tell(`the broker serves ${bold(broker.url)}, with its data in ${dataDir}`)
  for (const line of warnings) terminal.tell(line)
  if (broker.metricsUrl !== null) terminal.tell(`metrics are at ${broker.metricsUrl}`)
  if (simulator !== null) {
    const directory = join(dataDir, SIMULATOR_DIRECTORY)
    terminal.tell(
      `evidence of the simulated machine in ${directory}, which the tour made, verifies here; the policy decides what it is good for`,
    )
    terminal.note('hint: remove that directory, and the next start trusts hardware only')
  }
  for (const line of await tokenNotes(made, broker, dataDir, terminal)) terminal.note(line)
}
