// Two processes begin on one store at the same time: they end with the same keys.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BrokerError } from '../../src/errors.ts'
import { BrokerKeys, openLedgerKey } from '../../src/keys/broker-keys.ts'
import type { KeyEncryption } from '../../src/keys/keys.ts'
import { PendingWraps } from '../../src/keys/pending-wraps.ts'
import type { KeyStore, Store, StoredKey, WrappedKey } from '../../src/store/store.ts'
import { HOUR, later, MINUTE, START } from '../broker.ts'

const now = () => START

/** Wraps as good as nothing, and of each purpose the first only when there is a second. */
function meetingKek(): KeyEncryption {
  const met = new Map<string, { count: number; readonly both: PromiseWithResolvers<void> }>()
  return {
    wrap: async (plaintext: Uint8Array, context: string) => {
      const [, purpose = ''] = context.split('/')
      const meeting = met.get(purpose) ?? { count: 0, both: Promise.withResolvers<void>() }
      met.set(purpose, meeting)
      const bytes = Uint8Array.from(plaintext)
      if (++meeting.count === 2) meeting.both.resolve()
      await meeting.both.promise
      return { kekVersion: 1, bytes }
    },
    unwrap: async ({ bytes }: WrappedKey) => Uint8Array.from(bytes),
  } as unknown as KeyEncryption
}

const plainKek = {
  wrap: async (plaintext: Uint8Array) => ({ kekVersion: 1, bytes: Uint8Array.from(plaintext) }),
  unwrap: async ({ bytes }: WrappedKey) => Uint8Array.from(bytes),
} as unknown as KeyEncryption

/** Takes what is written a turn later, when whoever came at the same time has read. */
function storeOf(stored: StoredKey[]): Store {
  const of = (purpose: string) => stored.filter(key => key.purpose === purpose)
  const keys: Pick<KeyStore, 'list' | 'bootstrap' | 'rotate'> = {
    list: async purpose => of(purpose),
    bootstrap: async key => {
      await nextTurn()
      if (of(key.purpose).length === 0) stored.push(key)
      return of(key.purpose)[0] ?? key
    },
    rotate: async (successor, retired) => {
      await nextTurn()
      const others = of(successor.purpose).filter(({ id }) => !retired.some(one => one.id === id))
      if (others.length > 0) throw new BrokerError('conflict', 'the keys changed meanwhile')
      stored.push(successor)
      return { index: 0, value: null }
    },
  }
  return { keys } as unknown as Store
}

async function open(store: Store, kek: KeyEncryption, clock = now): Promise<BrokerKeys> {
  const times = { now: clock, tokenLifetimeMs: HOUR, sessionTimeoutMs: MINUTE }
  const keys = new BrokerKeys({ store, kek, pending: new PendingWraps(), ...times })
  await keys.open()
  return keys
}

const idsOf = async (keys: BrokerKeys) => (await keys.describe()).map(({ id }) => id)

test('the keys that one makes are the other’s too', async () => {
  const stored: StoredKey[] = []
  const [store, kek] = [storeOf(stored), meetingKek()]
  const [one, other] = await Promise.all([open(store, kek), open(store, kek)])
  assert.deepEqual(await idsOf(one), await idsOf(other))
  assert.deepEqual(
    stored.map(({ purpose }) => purpose),
    ['token', 'session'],
  )
})

test('a key that one makes the others publish at once', async () => {
  const [store, kek] = [storeOf([]), meetingKek()]
  const [one, other] = await Promise.all([open(store, kek), open(store, kek)])
  const third = await open(store, kek)
  const { key } = await one.rotateSigning({ system: 'keys' })
  const { keys } = await other.tokenKeys.jwks()
  assert.ok(keys.some(({ kid }) => kid === key.id))
  assert.ok((await idsOf(third)).includes(key.id))
})

test('the ledger has the key of whoever came first, who alone made it', async () => {
  const stored: StoredKey[] = []
  const [store, kek] = [storeOf(stored), meetingKek()]
  const opened = await Promise.all([1, 2].map(() => openLedgerKey({ store, kek, now })))
  assert.equal(opened.filter(({ created }) => created).length, 1)
  assert.ok(opened[0]!.key.equals(opened[1]!.key))
  assert.equal(stored.length, 1)
})

test('a key that is being made is joined by all who need it, also once an earlier one was waited for', async () => {
  const store = storeOf([])
  const rotate = store.keys.rotate.bind(store.keys)
  let made = 0
  let onNow: (() => void) | null = null
  let onMade: (() => void) | null = null
  store.keys.rotate = async (...change) => {
    made++
    const recorded = await rotate(...change)
    onMade?.()
    return recorded
  }
  let time = START
  const clock = () => {
    const told = time
    onNow?.()
    return told
  }
  const keys = await open(store, plainKek, clock)
  made = 0
  const need = () => keys.sessionKeys.sealSession({}, START)
  const others: Promise<unknown>[] = []
  // The first who waited reads the clock before the second goes on; it is set back just then, and one is needed again.
  onMade = () => {
    onMade = null
    onNow = () => {
      onNow = null
      time = later(time, -HOUR)
      others.push(need())
    }
  }
  time = later(START, -HOUR)
  await Promise.all([need(), need().catch(() => undefined)])
  others.push(need())
  await Promise.all(others)
  assert.equal(made, 2)
})
