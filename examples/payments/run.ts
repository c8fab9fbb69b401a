// The whole of it: a bank seals a sanctions list, a machine proves what it runs, payments are decided, a receipt is checked
// offline, the machine is killed in mid-stream, and nothing that was acknowledged is lost.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnclaveClient } from '@casemate/channel'
import type { ExampleContext } from '../stage/example.ts'
import { spreadOf, whole } from '../stage/figures.ts'
import { readOptions } from '../stage/options.ts'
import { onStage, type Stage, type StageOptions } from '../stage/stage.ts'
import { Story } from '../stage/story.ts'
import { type Load, makeLoad, nameRound, type Round, runRound } from './bench/load.ts'
import { printRecall } from './bench/recall-report.ts'
import { buildOptions, DEFAULT_RULES, type Rules } from './configuration.ts'
import { type DecisionReceipt, verifyDecision } from './evidence.ts'
import { type Answer, type Answers, decodeAnswers, encodeFrame } from './frames.ts'
import { sealSanctions } from './owner.ts'
import { LIST_FILE } from './service.ts'
import { type Inputs, listedNames, readInputs } from './test/generate/inputs.ts'
import { message, payment } from './test/generate/messages.ts'
import { Random } from './test/generate/random.ts'
import { ReferenceDecider } from './test/reference/decide.ts'
import { ReferenceList } from './test/reference/screening.ts'
import { referenceSettings } from './test/reference/settings.ts'

export const SUMMARY =
  'ISO 20022 payments: checked, screened against sanctions, limited, each decision provable'

const DAY_MS = 86_400_000
const QUICK = { rounds: 1, payments: 20_000, remembered: 2 ** 20 }
const BENCH = { rounds: 7, payments: 200_000, remembered: 2 ** 22 }
const PER_FRAME = 256
const IN_FLIGHT = 24
/** Payments that are decided again by the reference. */
const COMPARED = 60
export const USAGE = 'options: --data DIR (with ofac-sdn.csv and ofac-alt.csv), --recall, --bench, --keep DIR'

interface Play {
  readonly stage: Stage
  readonly story: Story
  readonly inputs: Inputs
  readonly rules: Rules
  readonly date: string
}

export async function run({ args, print, signal }: ExampleContext): Promise<void> {
  const { data, bench, recall, keep } = readOptions(args, USAGE, {
    data: { type: 'string' },
    recall: { type: 'boolean', default: false },
  })
  const inputs = readInputs(data)
  if (recall) return printRecall(inputs, print)
  const story = new Story(print)
  story.open(
    'Cross-border payments',
    'Banks send payments. The enclave checks each, screens its names and keeps its debtor’s limit; who runs the machine sees neither names nor amounts.',
  )
  const size = bench ? BENCH : QUICK
  const rules = { ...DEFAULT_RULES, remembered: size.remembered }
  const options: StageOptions = {
    name: 'payments',
    build: buildOptions(rules),
    service: new URL('./service.ts', import.meta.url),
    signal,
    directory: keep,
  }
  await onStage(options, async stage => {
    const play = { stage, story, inputs, rules, date: new Date().toISOString().slice(0, 10) }
    sealList(play)
    let server = await stage.startServer()
    story.step(
      'Prove',
      'A machine proves to the broker which code it runs, and only then gets the key that opens the list.',
      [
        {
          what: 'released',
          detail: `${(await stage.receipts()).length} time, to this enclave of this signer`,
        },
      ],
    )
    let client = await stage.connect()
    await decide(play, client)
    await prove(play, client)
    const load = makeLoad({
      date: play.date,
      payments: size.payments,
      perFrame: PER_FRAME,
      files: inputs.sanctions,
    })
    const unanswered = await killInMidStream(play, {
      client,
      load,
      kill: () => process.kill(server.pid, 'SIGKILL'),
    })
    await server.ended
    server = await stage.startServer()
    client = await stage.connect()
    await sendAgain(play, client, unanswered)
    await measure(play, { client, load, rounds: size.rounds })
    await client.close()
    story.endKept(keep)
  })
}

function sealList({ stage, story, inputs }: Play): void {
  const sealed = sealSanctions(inputs.sanctions, stage.owner)
  writeFileSync(join(stage.directory, LIST_FILE), sealed, { mode: 0o600 })
  story.step(
    'Seal',
    'A bank builds the enclave from source, with its limits, and seals the sanctions list for exactly this code.',
    [
      { what: 'code', detail: `${stage.image.mrEnclave} (MRENCLAVE)` },
      {
        what: 'list',
        detail: `${listedNames(inputs.sanctions).length} names and aliases (${inputs.origin})`,
      },
    ],
  )
}

async function decide({ story, inputs, rules, date }: Play, client: EnclaveClient): Promise<void> {
  const random = new Random(4)
  const { name = '' } = listedNames(inputs.sanctions)[3] ?? {}
  const valid = payment(random)
  const text = (id: string, creditor: string) =>
    message(random, { date, messageId: id, payments: [{ ...valid, creditor }] })
  const samples = new Map<string, Uint8Array>([
    ['a valid one', Buffer.from(text('first', 'Alpine Bakery Ltd'))],
    ['listed name', Buffer.from(text('second', name.split(', ').toReversed().join(' ').toLowerCase()))],
    [
      'a wrong IBAN',
      Buffer.from(
        text('third', 'Alpine Bakery Ltd').replace(
          valid.debtorIban,
          `${valid.debtorIban.slice(0, 2)}00${valid.debtorIban.slice(4)}`,
        ),
      ),
    ],
    ...inputs.messages,
  ])
  const answers = decodeAnswers(await client.call('decide', encodeFrame([...samples.values()])))
  const proofs = [...samples.keys()].map((what, index) => ({
    what,
    detail: worded(answers.items.find(item => item.message === index)),
  }))
  const compared = await compare({ client, inputs, rules, date })
  story.step(
    'Decide',
    'A bank connects, checks the same evidence over the channel, and sends messages pacs.008.',
    [
      ...proofs,
      {
        what: 'equal',
        detail: `${compared} of ${compared} more decisions are those of a plain program that screens without an index`,
      },
    ],
  )
}

function worded(answer: Answer | undefined): string {
  if (answer === undefined) return 'no answer'
  const { decision, reason, score, listId, role } = answer
  const hit = listId === 0 ? '' : `, ${role} is party ${listId} of the list at ${score}%`
  return `${decision}${reason === null ? '' : ` ${reason}`}${hit}`
}

interface CompareOptions {
  readonly client: EnclaveClient
  readonly inputs: Inputs
  readonly rules: Rules
  readonly date: string
}

async function compare({ client, inputs, rules, date }: CompareOptions): Promise<number> {
  const random = new Random(11)
  const listed = listedNames(inputs.sanctions)
  const messages = Array.from({ length: COMPARED }, (_, index) => {
    const item = payment(random)
    const debtor = index % 4 === 0 ? random.pick(listed).name.slice(0, 140) : item.debtor
    return Buffer.from(message(random, { date, messageId: `C${index}`, payments: [{ ...item, debtor }] }))
  })
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const list = new ReferenceList(text(inputs.sanctions.parties), text(inputs.sanctions.aliases))
  const reference = new ReferenceDecider(list, referenceSettings(rules))
  const { items } = decodeAnswers(await client.call('decide', encodeFrame(messages)))
  const today = Math.floor(Date.now() / DAY_MS)
  for (const [index, answer] of items.entries()) {
    const [expected] = reference.decide(messages[index] ?? new Uint8Array(), today)
    const isEqual =
      expected !== undefined &&
      answer.decision === expected.decision &&
      answer.reason === expected.reason &&
      answer.score === expected.score &&
      answer.listId === expected.listId
    if (!isEqual)
      throw new Error(
        `payment ${index}: ${worded(answer)}, and the reference has ${JSON.stringify(expected)}`,
      )
  }
  return items.length
}

async function prove({ stage, story, date }: Play, client: EnclaveClient): Promise<void> {
  const random = new Random(5)
  const bytes = Buffer.from(message(random, { date, messageId: 'proof', payments: [payment(random)] }))
  const { items } = decodeAnswers(await client.call('decide', encodeFrame([bytes])))
  const [answer] = items
  if (answer === undefined) throw new Error('a payment has no answer')
  const receipt = await receiptOf(client, answer)
  const key = await logKey(client)
  const { verdict, ledger } = await verifyDecision(receipt, { message: bytes, key })
  writeFileSync(join(stage.directory, 'decision.json'), JSON.stringify(receipt, null, 2))
  story.step(
    'Record',
    'Every decision is in a ledger that nobody can rewrite; a receipt shows one and nothing of any other.',
    [
      {
        what: 'receipt',
        detail: `${verdict.decision}, entry ${ledger.index} of ${ledger.checkpoint.size}, checked offline with the log’s key`,
      },
      { what: 'the key', detail: `${key.slice(0, 40)}…, given over the attested channel` },
    ],
  )
}

async function receiptOf(client: EnclaveClient, { frame, leaf }: Answer): Promise<DecisionReceipt> {
  const input = Buffer.alloc(8)
  input.writeUInt32LE(frame, 0)
  input.writeUInt32LE(leaf, 4)
  return JSON.parse(Buffer.from(await client.call('receipt', input)).toString()) as DecisionReceipt
}

async function logKey(client: EnclaveClient): Promise<string> {
  const { verifierKey } = JSON.parse(Buffer.from(await client.call('log', new Uint8Array())).toString()) as {
    verifierKey: string
  }
  return verifierKey
}

/** Frames that were sent, with the answer that came or none. */
interface Sent {
  readonly frame: Buffer
  readonly answers: Answers | null
}

interface Killing {
  readonly client: EnclaveClient
  readonly load: Load
  readonly kill: () => void
}

async function killInMidStream({ story }: Play, { client, load, kill }: Killing): Promise<readonly Sent[]> {
  nameRound(load, 900)
  const frames = load.frames.slice(0, 60)
  let answered = 0
  const sent = await Promise.all(
    frames.map(async (frame): Promise<Sent> => {
      try {
        const answers = decodeAnswers(await client.call('decide', frame))
        if (++answered === 20) kill()
        return { frame, answers }
      } catch {
        return { frame, answers: null }
      }
    }),
  )
  const open = sent.filter(({ answers }) => answers === null).length
  story.step(
    'Kill',
    `The server is ended by kill -9 with ${frames.length} frames of ${PER_FRAME} payments on their way.`,
    [{ what: 'answered', detail: `${sent.length - open} frames; ${open} have no answer` }],
  )
  return sent
}

async function sendAgain({ story }: Play, client: EnclaveClient, sent: readonly Sent[]): Promise<void> {
  let decidedOnce = 0
  let changed = 0
  for (const { frame, answers } of sent) {
    const again = decodeAnswers(await client.call('decide', frame))
    decidedOnce += again.fresh
    for (const [index, item] of again.items.entries()) {
      const first = answers?.items[index]
      if (first === undefined) continue
      if (
        !item.isRepeated ||
        item.frame !== first.frame ||
        item.leaf !== first.leaf ||
        !Buffer.from(item.head).equals(first.head)
      )
        changed++
    }
  }
  if (changed > 0) throw new Error(`${changed} answers that were acknowledged have changed`)
  const acknowledged = sent.reduce((sum, { answers }) => sum + (answers?.items.length ?? 0), 0)
  story.step('Recover', 'Another server starts on what is on disk, and the bank sends every frame again.', [
    {
      what: 'kept',
      detail: `all ${acknowledged} acknowledged decisions, unchanged, at the same place in the ledger`,
    },
    { what: 'decided', detail: `${decidedOnce} payments that had not been; none twice` },
  ])
}

interface Measuring {
  readonly client: EnclaveClient
  readonly load: Load
  readonly rounds: number
}

async function measure({ story }: Play, { client, load, rounds }: Measuring): Promise<void> {
  const results: Round[] = []
  for (let round = 0; round < rounds; round++) {
    nameRound(load, round)
    results.push(await runRound(client, load, IN_FLIGHT))
  }
  const last = results.at(-1)
  if (last === undefined) throw new RangeError('there was no round')
  const { decisions, p50, p99 } = last
  story.step(
    'Load',
    `${whole(load.payments)} messages of ${whole(load.bytes / load.payments)} bytes on average, ${PER_FRAME} a frame, ${IN_FLIGHT} frames at once, ${rounds} round${rounds === 1 ? '' : 's'}: sent, decided, on disk, answered. The platform is simulated: no cost of hardware is in it.`,
    [
      {
        what: 'payments/s',
        detail: spreadOf(
          results.map(({ perSecond }) => perSecond),
          whole,
        ),
      },
      { what: 'needed', detail: '23,148 for two billion a day' },
      { what: 'a frame', detail: `${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms` },
      {
        what: 'decisions',
        detail: `${whole(decisions.ACCEPT)} accepted, ${whole(decisions.HOLD)} held, ${whole(decisions.REJECT)} refused`,
      },
    ],
  )
}
