// What stands around a command under a lease: its guard, and whom its part of the guest API answers.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type RunOptions, runUnderLease } from '../../src/command/run.ts'
import { allowedBy } from '../../src/guest/allowed-paths.ts'
import type { Agent } from '../../src/standing/agent.ts'
import { SYSTEM_CLOCK } from '../../src/standing/clock.ts'
import { living, memoryBase, skip } from './left-behind.ts'

const PATH = 'default/test/secret'

/** Runs a command with one secret in a file; `asked` is told when the secret is asked for. */
function run(options: Pick<RunOptions, 'command' | 'args'> & Partial<RunOptions>, asked = () => {}) {
  const agent = {
    start: () => undefined,
    close: () => undefined,
    getSecret: async () => {
      asked()
      return new Uint8Array([1])
    },
  }
  return runUnderLease({
    wanted: [{ path: PATH, name: 'KEY', as: 'file' }],
    env: process.env,
    memoryDirectory: null,
    graceMs: 0,
    onLeaseEnd: 'stop',
    onChange: 'keep',
    note: () => undefined,
    api: null,
    open: async () => ({ agent: agent as unknown as Agent, simulated: true }),
    ...options,
  })
}

describe('a command under a lease', { skip }, () => {
  for (const [onLeaseEnd, isGuarded] of [
    ['stop', true],
    ['keep', false],
  ] as const) {
    test(`that is to ${onLeaseEnd} has ${isGuarded ? 'a guard before it is given anything' : 'none'}`, async () => {
      const base = memoryBase()
      let guards = 0
      const outcome = await run({ command: '/bin/true', args: [], onLeaseEnd, memoryDirectory: base }, () => {
        guards = living().filter(
          ({ line }) => line.includes('casemate-watchdog') && line.includes(base),
        ).length
      })
      assert.deepEqual(outcome, { ended: 'exited', exitCode: 0 })
      assert.equal(guards, isGuarded ? 1 : 0)
    })
  }

  test('has an API that answers its own user and no other', {
    skip: process.getuid?.() !== 0 && 'only root can be somebody else',
  }, async () => {
    const api = { port: 0, allowed: allowedBy([PATH]), clock: SYSTEM_CLOCK, version: '0' }
    const ask = `fetch(process.env.CASEMATE_GUEST_API + '/cdh/resource/${PATH}').then(({ status }) => process.exit(status - 200))`
    const askAs = (user: number) =>
      run({ command: process.execPath, args: ['-e', `process.setuid(${user}); ${ask}`], api })
    assert.deepEqual(await askAs(0), { ended: 'exited', exitCode: 0 })
    assert.deepEqual(await askAs(65_534), { ended: 'exited', exitCode: 403 - 200 })
  })
})
