// What is said while a command is being started, or started anew, with an agent and a guard that say it just then.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { BrokerRefusal, Unavailable } from '@casemate/client'
import { Supervisor, type SupervisorOptions } from '../../src/command/supervisor.ts'
import type { Watchdog } from '../../src/command/watchdog.ts'
import type { Agent, AgentEvent } from '../../src/standing/agent.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const place = temporaryDirectory(after)
const PATH = 'default/test/secret'
const RENEWED: AgentEvent = { kind: 'renewed', leaseMs: 1_000 }
const ENDED: AgentEvent = { kind: 'lease-ended' }
const DENIED: AgentEvent = {
  kind: 'denied',
  error: new BrokerRefusal('release-denied', 'no', { status: 403 }),
}

/** Says what it is told to, and has one secret until it is closed. */
class Told {
  content = 'one'
  closed = false
  tell: (event: AgentEvent) => void = () => assert.fail('not started')

  start = (listener: (event: AgentEvent) => void): void => {
    this.tell = listener
  }

  close = (): void => {
    this.closed = true
  }

  /** Before the last of how many times a secret is asked for the lease ends. */
  timesToEnd = Infinity

  getSecret = async (): Promise<Uint8Array> => {
    this.timesToEnd -= 1
    if (this.timesToEnd === 0) this.tell(ENDED)
    if (this.closed) throw new Unavailable('unreachable', 'there is no lease')
    return new TextEncoder().encode(this.content)
  }
}

interface Supervised {
  readonly outcome: ReturnType<Supervisor['run']>
  readonly marker: string
  readonly agent: Told
  /** What was run, with which secret. */
  readonly ran: () => readonly string[]
}

/** Runs a command that notes the secret that it was given, while `guard` says what it says, in its turn. */
function supervised(
  guard: (agent: Told, turn: number) => Promise<void> | void,
  options: Partial<SupervisorOptions> = {},
): Supervised {
  const agent = new Told()
  const marker = join(place, `ran-${Math.random()}`)
  let turns = 0
  const watchdog = {
    guard: async (): Promise<void> => {
      turns += 1
      await guard(agent, turns)
    },
    forget: () => undefined,
  }
  const supervisor = new Supervisor({
    agent: agent as unknown as Agent,
    wanted: [{ path: PATH, name: 'SECRET', as: 'variable' }],
    directory: null,
    watchdog: watchdog as unknown as Watchdog,
    command: '/bin/sh',
    args: ['-c', `echo "$SECRET" >> ${marker}`],
    env: { PATH: process.env['PATH'] ?? '' },
    graceMs: 0,
    onLeaseEnd: 'stop',
    onChange: 'restart',
    note: () => undefined,
    ...options,
  })
  const ran = (): readonly string[] =>
    existsSync(marker) ? readFileSync(marker, 'utf8').trim().split('\n') : []
  return { outcome: supervisor.run(), marker, agent, ran }
}

/** Tells this process to end, and waits until it has heard that. */
async function endThis(signal: NodeJS.Signals): Promise<void> {
  const heard = once(process, signal)
  process.kill(process.pid, signal)
  await heard
}

describe('a command that is being started', {
  skip: process.platform === 'win32' && 'signals of POSIX',
}, () => {
  for (const [event, ended] of [
    [ENDED, 'lease-ended'],
    [DENIED, 'release-withdrawn'],
  ] as const) {
    test(`does not run after “${ended}”`, async () => {
      const all = supervised(agent => agent.tell(event))
      assert.deepEqual(await all.outcome, { ended, exitCode: 124 })
      assert.deepEqual(all.ran(), [])
      assert.ok(all.agent.closed)
    })
  }

  test('runs all the same where it is to be kept', async () => {
    const all = supervised(agent => agent.tell(ENDED), { onLeaseEnd: 'keep' })
    assert.deepEqual(await all.outcome, { ended: 'exited', exitCode: 0 })
    assert.deepEqual(all.ran(), ['one'])
  })

  test('does not run with a secret that has changed meanwhile', async () => {
    const noticed = Promise.withResolvers<undefined>()
    const all = supervised(
      async (agent, turn) => {
        if (turn > 1) return
        agent.content = 'two'
        agent.tell(RENEWED)
        await noticed.promise
      },
      { note: () => noticed.resolve(undefined) },
    )
    assert.deepEqual(await all.outcome, { ended: 'exited', exitCode: 0 })
    assert.deepEqual(all.ran(), ['two'])
  })

  test('does not run once this process was told to end', async () => {
    const all = supervised(() => endThis('SIGTERM'))
    assert.deepEqual(await all.outcome, { ended: 'interrupted', exitCode: 143 })
    assert.deepEqual(all.ran(), [])
  })

  test('is passed a signal that comes as it begins', async () => {
    // Its gate has been told to open, and nothing has been heard of that.
    const all = supervised(() => void setImmediate(() => process.emit('SIGTERM', 'SIGTERM')), {
      args: ['-c', 'exec sleep 600'],
    })
    assert.deepEqual(await all.outcome, { ended: 'exited', exitCode: 143 })
  })

  test('ends with a signal that comes as it begins where it is to be started anew', async () => {
    const all = supervised(
      (agent, turn) => {
        if (turn > 1) assert.fail('it was started anew')
        setImmediate(() => {
          agent.content = 'two'
          agent.tell(RENEWED)
          process.emit('SIGTERM', 'SIGTERM')
        })
      },
      { args: ['-c', 'exec sleep 600'] },
    )
    assert.equal((await all.outcome).exitCode, 143)
  })

  test('is not started anew once this process was told to end', async () => {
    const all = supervised(
      async (agent, turn) => {
        if (turn === 2) await endThis('SIGINT')
        else {
          setTimeout(() => {
            agent.content = 'two'
            agent.tell(RENEWED)
          })
        }
      },
      { args: ['-c', 'exec sleep 600'] },
    )
    assert.deepEqual(await all.outcome, { ended: 'interrupted', exitCode: 130 })
  })

  test('is not started anew where this process is told to end while the old one is being ended', async () => {
    const all = supervised(
      (agent, turn) => {
        if (turn > 1) assert.fail('it was started anew')
        setTimeout(() => {
          agent.content = 'two'
          agent.tell(RENEWED)
        })
      },
      { args: ['-c', 'exec sleep 600'], note: () => process.kill(process.pid, 'SIGTERM') },
    )
    assert.deepEqual(await all.outcome, { ended: 'interrupted', exitCode: 143 })
  })

  test('does not get secrets after the lease, and that is no error of its own', async () => {
    const all = supervised(
      agent => {
        setTimeout(() => {
          agent.content = 'two'
          // Once to see that it has changed, and once for the next command.
          agent.timesToEnd = 2
          agent.tell(RENEWED)
        })
      },
      { args: ['-c', 'exec sleep 600'] },
    )
    assert.deepEqual(await all.outcome, { ended: 'lease-ended', exitCode: 124 })
  })
})
