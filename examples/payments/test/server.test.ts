// The server around the enclave, on the real platform: an instance that traps, hangs or takes all memory, and a process
// that is killed in mid-stream, lose nothing that was acknowledged.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { identityOf, openSimulatedRoot, parseImage, signImage, verifyImage } from '@casemate/enclave'
import { SIGNING } from '../../../packages/enclave/test/image/keys.ts'
import { dateOf } from '../../stage/stage.ts'
import { type DecisionReceipt, verifyDecision } from '../evidence.ts'
import { type Answers, decodeAnswers, encodeFrame } from '../frames.ts'
import { openPayments, type PaymentsServer } from '../host/server.ts'
import { sealSanctions } from '../owner.ts'
import { builtImage } from './built.ts'
import { message, payment } from './generate/messages.ts'
import { Random } from './generate/random.ts'
import { makeSanctions } from './generate/sanctions.ts'
import { openerOf } from './opener.ts'

const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const KILLS = IS_LONG ? 40 : 3
const FRAMES = 40
const PER_FRAME = 20
const KEPT = mkdtempSync(join(tmpdir(), 'casemate-payments-test-'))
after(() => rmSync(KEPT, { recursive: true }))

const image = signImage(builtImage, {
  privateKey: SIGNING.privateKey,
  date: dateOf(new Date()),
})
const root = openSimulatedRoot({ path: join(KEPT, 'root') })
const parsed = parseImage(image)
const list = sealSanctions(makeSanctions(3, 200), { root, identity: identityOf(parsed, verifyImage(parsed)) })
writeFileSync(join(KEPT, 'image'), image)
writeFileSync(join(KEPT, 'list'), list)

const random = new Random(9)
const date = new Date().toISOString().slice(0, 10)
let made = 0

function newMessages(count = PER_FRAME): Buffer[] {
  return Array.from({ length: count }, () =>
    Buffer.from(message(random, { date, messageId: `S${++made}`, payments: [payment(random)] })),
  )
}

async function decide(server: PaymentsServer, messages: readonly Uint8Array[]): Promise<Answers> {
  return decodeAnswers(
    await server.target.call('decide', new Uint8Array(encodeFrame(messages)), { transfer: true }),
  )
}

function places({ items }: Answers): unknown {
  return items.map(({ frame, leaf, head }) => ({ frame, leaf, head: Buffer.from(head).toString('hex') }))
}

const FAULTS = { trap: 1, hang: 2, 'lack of memory': 3 } as const

for (const call of ['examine', 'book'] as const) {
  for (const [what, mode] of Object.entries(FAULTS)) {
    test(`a ${what} while the enclave is to ${call} fails that frame alone, and is told`, async () => {
      const directory = mkdtempSync(join(KEPT, 'data-'))
      const events: string[] = []
      let provoke = 0
      const openEnclave = openerOf(image, root, {
        callMs: 600,
        report: event => events.push(event.type),
        instead: name => (name === call && provoke-- === 1 ? mode : null),
      })
      const options = { directory, list, openEnclave, examiners: 1, now: () => new Date() }
      const server = await openPayments({ ...options, report: told => events.push(told) })
      const first = newMessages()
      const before = await decide(server, first)
      const failed = newMessages()
      provoke = 1
      await assert.rejects(decide(server, failed), {
        code: mode === FAULTS.hang ? 'enclave-timeout' : 'enclave-crashed',
      })
      assert.ok(events.includes('instance-failed'))
      const after = await decide(server, failed)
      assert.equal(after.fresh, PER_FRAME)
      const again = await decide(server, first)
      assert.deepEqual([again.fresh, places(again)], [0, places(before)])
      assert.equal(
        call === 'book',
        events.some(told => told.startsWith('booking began anew')),
      )
      await server.close()
    })
  }
}

test('a receipt proves its decision offline, and nothing else', async () => {
  const directory = mkdtempSync(join(KEPT, 'data-'))
  const openEnclave = openerOf(image, root)
  const server = await openPayments({
    directory,
    list,
    openEnclave,
    examiners: 1,
    now: () => new Date(),
    report: () => {},
  })
  const messages = newMessages()
  const { frame } = await decide(server, messages)
  const ask = async (name: string, input: Uint8Array): Promise<unknown> =>
    JSON.parse(Buffer.from(await server.target.call(name, input, { transfer: false })).toString())
  const { verifierKey: key } = (await ask('log', new Uint8Array())) as { verifierKey: string }
  const receipt = (await ask('receipt', Buffer.from(Uint32Array.of(frame, 3).buffer))) as DecisionReceipt
  const own = { message: messages[3] ?? new Uint8Array(), key }
  const { verdict } = await verifyDecision(receipt, own)
  assert.equal(verdict.payment, 0)
  await assert.rejects(
    verifyDecision(receipt, { ...own, message: messages[4] ?? new Uint8Array() }),
    RangeError,
  )
  const record = Buffer.from(receipt.record, 'base64')
  record[1] = record[1] === 1 ? 2 : 1
  await assert.rejects(verifyDecision({ ...receipt, record: record.toString('base64') }, own))
  await assert.rejects(verifyDecision({ ...receipt, leaf: 4 }, own))
  await server.close()
})

test('kill -9 in mid-stream loses nothing that was acknowledged, and nothing is decided twice', async () => {
  const directory = mkdtempSync(join(KEPT, 'data-'))
  const frames = Array.from({ length: FRAMES }, () => encodeFrame(newMessages()))
  const acknowledged = new Map<number, Answers>()
  for (let kill = 0; kill <= KILLS; kill++) {
    const child = fork(join(import.meta.dirname, 'kill-child.ts'), [KEPT, directory], {
      serialization: 'advanced',
    })
    const ended = once(child, 'exit')
    await once(child, 'message')
    let answered = 0
    const done = new Promise<void>(resolve => {
      child.on('message', ({ index, bytes }: { index: number; bytes: Uint8Array }) => {
        const answers = decodeAnswers(bytes)
        const first = acknowledged.get(index)
        if (first === undefined) acknowledged.set(index, answers)
        else assert.deepEqual([answers.fresh, places(answers)], [0, places(first)])
        if (++answered === FRAMES) resolve()
      })
    })
    for (const [index, bytes] of frames.entries()) child.send({ index, bytes })
    if (kill < KILLS) await Promise.race([done, sleep(Math.random() * 60)])
    else await done
    child.kill('SIGKILL')
    await ended
  }
  // Every place in the ledger is of one decision.
  const all = [...acknowledged.values()].flatMap(({ items }) =>
    items.map(({ frame, leaf }) => `${frame}/${leaf}`),
  )
  assert.deepEqual([all.length, new Set(all).size], [FRAMES * PER_FRAME, FRAMES * PER_FRAME])
})
