// `casemate demo`: the tour on a broker of its own in a temporary directory, of which nothing is left.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningBroker, resolveConfig } from '@casemate/broker'
import type { Simulator } from '../attesting/simulator.ts'
import { SIMULATOR_DIRECTORY, TOUR_DIRECTORY } from '../broker/data-directory.ts'
import type { Answer, Call } from '../command.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { TourStep } from '../tour/step.ts'
import { openingLines, stepLines } from '../tour/tour-text.ts'
import { makeSimulator, start } from './start.ts'

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
