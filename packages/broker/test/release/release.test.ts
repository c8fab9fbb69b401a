// The release of a secret, without HTTP: in which order it is decided, and what is on record before a guest learns of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CountedEntries } from '../../src/counted-entries.ts'
import type { Entry } from '../../src/entry.ts'
import { BrokerError, type BrokerErrorCode } from '../../src/errors.ts'
import type { JsonObject } from '../../src/json.ts'
import type { ReleaseDecision } from '../../src/release/decision.ts'
import { Denials, MAX_RECORDED_DENIALS } from '../../src/release/denials.ts'
import { type ReleaseParts, releaseSecret } from '../../src/release/release.ts'
import type { ReleaseBasis, SecretHead } from '../../src/store/store.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const PATH = { repository: 'default', type: 'key', tag: 'disk' }
const HEAD: SecretHead = { ...PATH, version: 3, revision: 41, createdAt: NOW, updatedAt: NOW }

const GRANTED: ReleaseDecision = {
  granted: true,
  reason: 'granted',
  rules: [{ rule: 'yes', outcome: 'true', message: '' }],
}
const DENIED: ReleaseDecision = {
  granted: false,
  reason: 'rule-false',
  rules: [{ rule: 'no', outcome: 'false', message: 'not this one' }],
}

/** A world in which one secret is asked for. Everything that happens is in `steps`. */
class World {
  readonly steps: string[] = []
  readonly appended: Entry[] = []
  readonly recorded: { readonly entry: Entry; readonly basis: ReleaseBasis }[] = []
  readonly counts: JsonObject[] = []
  head: SecretHead | null = HEAD
  /** What the rules say, from one asking to the next; the last is said again. */
  decisions: ReleaseDecision[] = [GRANTED]
  generation = 7
  /** What becomes of records of releases. */
  record: () => Promise<void> = async () => undefined
  append: () => Promise<void> = async () => undefined
  readonly counted = new CountedEntries(
    async entry => void this.counts.push(entry),
    () => NOW,
  )
  readonly parts: ReleaseParts = {
    subjects: {
      find: async id => {
        this.steps.push('who')
        if (id === 'nobody') throw new BrokerError('session-invalid', 'its attestation is not on record')
        return { claims: null, result: null }
      },
    },
    rules: {
      decide: async (_subject, secret) => {
        this.steps.push(`rules for version ${secret.version}`)
        const [decision = DENIED, ...later] = this.decisions
        if (later.length > 0) this.decisions = later
        return { ...decision, ruleGeneration: this.generation }
      },
    },
    secrets: {
      find: async () => {
        this.steps.push('secret')
        return this.head
      },
      withPlaintext: async (_path, version, use) => {
        this.steps.push(`plaintext of version ${version}`)
        return use(Buffer.from('plain'))
      },
    },
    denials: new Denials({
      append: async denial => {
        await this.append()
        this.appended.push(denial)
      },
      counted: this.counted,
    }),
    store: {
      releases: {
        record: async (entry, basis) => {
          this.steps.push('record')
          await this.record()
          this.recorded.push({ entry, basis })
          return { index: 0, value: null }
        },
      },
    },
    now: () => NOW,
  }

  ask(tag = 'disk', attestationId = 'guest'): Promise<string> {
    const encrypt = (plaintext: Uint8Array) => `encrypted ${Buffer.from(plaintext).toString()}`
    return releaseSecret(this.parts, { attestationId, encrypt }, { ...PATH, tag })
  }

  async refused(code: BrokerErrorCode, tag = 'disk', attestationId = 'guest'): Promise<void> {
    await assert.rejects(
      this.ask(tag, attestationId),
      (error: unknown) => error instanceof BrokerError && error.code === code,
    )
  }
}

test('a secret that the rules grant is encrypted to the guest, and recorded before it is given', async () => {
  const world = new World()
  assert.equal(await world.ask(), 'encrypted plain')
  assert.deepEqual(world.steps, ['secret', 'who', 'rules for version 3', 'plaintext of version 3', 'record'])
  const [{ entry, basis } = assert.fail()] = world.recorded
  assert.deepEqual(entry, {
    type: 'release.granted',
    at: NOW.toISOString(),
    actor: { attestation: 'guest' },
    secret: 'default/key/disk',
    version: 3,
    reason: 'granted',
    rules: GRANTED.rules,
  })
  assert.deepEqual(basis, { path: PATH, revision: 41, ruleGeneration: 7 })
})

test('what cannot be recorded is not given', async () => {
  const world = new World()
  world.record = () => Promise.reject(new Error('the disk is gone'))
  await assert.rejects(world.ask(), /the disk is gone/)
})

test('an attestation that is not on record gets no decision', async () => {
  const world = new World()
  await world.refused('session-invalid', 'disk', 'nobody')
  assert.deepEqual(world.steps, ['secret', 'who'])
  assert.deepEqual(world.appended, [])
})

test('a secret that no rule grants is denied on record, and never decrypted', async () => {
  const world = new World()
  world.decisions = [DENIED]
  await world.refused('release-denied')
  assert.deepEqual(world.steps, ['secret', 'who', 'rules for version 3'])
  assert.deepEqual(
    world.appended.map(({ type, reason, rules }) => ({ type, reason, rules })),
    [{ type: 'release.denied', reason: 'rule-false', rules: DENIED.rules }],
  )
})

test('whoever may not have a secret learns the same where there is none', async () => {
  const world = new World()
  world.decisions = [DENIED]
  const told = async () =>
    world.ask().catch((error: unknown) => {
      assert.ok(error instanceof BrokerError)
      return { code: error.code, message: error.message, detail: error.detail }
    })
  const denied = await told()
  world.head = null
  assert.deepEqual(await told(), denied)
})

test('whoever may have a secret learns that there is none, on record', async () => {
  const world = new World()
  world.head = null
  await world.refused('secret-missing')
  assert.deepEqual(world.steps, ['secret', 'who', 'rules for version 0'])
  const [entry] = world.appended
  assert.deepEqual(
    [entry?.type, entry?.['reason'], entry?.['version']],
    ['release.denied', 'secret-missing', null],
  )
})

test('a denial that cannot be recorded is not told, and is recorded in full the next time', async () => {
  const world = new World()
  world.decisions = [DENIED]
  world.append = () => Promise.reject(new Error('the disk is gone'))
  await assert.rejects(world.ask(), /the disk is gone/)
  world.append = async () => undefined
  await world.refused('release-denied')
  assert.equal(world.appended.length, 1)
})

test('where something changed meanwhile it is decided anew, by what is stored then', async () => {
  const world = new World()
  world.decisions = [GRANTED, DENIED]
  world.record = async () => {
    world.generation = 8
    throw new BrokerError('conflict', 'a rule changed meanwhile')
  }
  await world.refused('release-denied')
  assert.deepEqual(world.recorded, [])
  assert.equal(world.appended.length, 1)
})

test('the basis is what it was decided on, also where that was the second time', async () => {
  const world = new World()
  world.record = async () => {
    world.generation = 8
    world.record = async () => void world.generation++
    throw new BrokerError('conflict', 'a rule changed meanwhile')
  }
  assert.equal(await world.ask(), 'encrypted plain')
  assert.deepEqual(
    world.recorded.map(({ basis }) => basis.ruleGeneration),
    [8],
  )
})

test('where something changes all the time, the guest is to ask again', async () => {
  const world = new World()
  world.record = () => Promise.reject(new BrokerError('conflict', 'the secret changed meanwhile'))
  await world.refused('conflict')
  assert.equal(world.steps.filter(step => step === 'record').length, 3)
})

test('of an attestation the first different denials are recorded, and all others counted', async () => {
  const world = new World()
  world.decisions = [DENIED]
  for (let n = 0; n < 3; n++) await world.refused('release-denied')
  assert.equal(world.appended.length, 1)
  for (let n = 0; n < MAX_RECORDED_DENIALS; n++) await world.refused('release-denied', `made-up-${n}`)
  assert.equal(world.appended.length, MAX_RECORDED_DENIALS)
  await world.refused('release-denied', 'disk', 'another guest')
  assert.equal(world.appended.length, MAX_RECORDED_DENIALS + 1)
  await world.counted.flush()
  assert.deepEqual(
    world.counts.map(({ type, actor, reason, count }) => ({ type, actor, reason, count })),
    [{ type: 'release.denied', actor: { attestation: 'guest' }, reason: 'further-denials', count: 3 }],
  )
})
