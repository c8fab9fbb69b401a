// Whether a broker's memory grows with what it has done: resident after ten thousand handshakes, and after ten times as
// many. Every thousandth comes from a new machine, over new connections.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { attestAndFetch, keepingAgent } from './attesting.ts'
import { withBroker } from './broker-child.ts'
import { prepare } from './guest.ts'
import { concurrently, spread } from './measure.ts'
import { megabytesOf } from './process-memory.ts'
import { printBudget } from './report.ts'
import { portOf, type Target } from './wire.ts'

const GUESTS = 16
const BATCH = 1000
const FIRST = 10_000
const LAST = 100_000
/** Resident memory goes up and down with the garbage: the median of so many looks, one after each batch. */
const LOOKS = 5
const BUDGET = 1.1

/** Prints the tables of this topic. */
export async function benchMemory(): Promise<void> {
  if (process.platform !== 'linux') {
    console.log('\nmemory: left out, as only Linux tells what another process has resident')
    return
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  const platform = await createIntelPlatform({ now: new Date() })
  const { anchors, endorsements } = platform
  try {
    await withBroker({ dataDir, anchors, endorsements }, async ({ server, started }) => {
      await prepare(started.url, started.adminToken)
      await grow(server.pid, { port: portOf(started.url), isTls: false }, platform)
    })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}

async function grow(pid: number | undefined, target: Target, platform: IntelPlatform): Promise<void> {
  const looks: number[] = []
  for (let done = BATCH; done <= LAST; done += BATCH) {
    const agent = keepingAgent(target)
    const machine = platform.sibling()
    await concurrently({ times: BATCH, atOnce: GUESTS }, async () => {
      if (!(await attestAndFetch({ target, agent }, machine))) throw new Error('a guest was refused')
    })
    agent.destroy()
    looks.push(megabytesOf(pid, 'resident'))
    if (done % FIRST === 0) console.log(`  ${Math.round(looks.at(-1)!)} MB after ${done} handshakes`)
  }
  const at = (handshakes: number) => spread(looks.slice(handshakes / BATCH - LOOKS, handshakes / BATCH))
  const [first, last] = [at(FIRST), at(LAST)]
  printBudget({
    text: `resident after ${LAST} handshakes against ${FIRST}`,
    spread: {
      median: last.median / first.median,
      lowest: last.lowest / first.highest,
      highest: last.highest / first.lowest,
    },
    limit: { atMost: BUDGET },
  })
}
