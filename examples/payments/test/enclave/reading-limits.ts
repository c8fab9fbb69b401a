// The enclave refuses some XML that is allowed, so that no message takes more memory or time than there is: each bound
// at its last value, and one beyond. Also every border of UTF-8, and sizes of frames.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_MESSAGE, MAX_MESSAGES } from '../../assembly/wire.ts'
import { messageFor } from '../../bench/recall.ts'
import { DEFAULT_RULES } from '../../configuration.ts'
import { text } from '../generate/faults.ts'
import { Random } from '../generate/random.ts'
import { decideTwice } from './comparing.ts'
import { Bank, bytes, newMessage, SANCTIONS } from './fixture.ts'

const bank = new Bank()
const CLEAN = { debtor: 'Nordic Seeds AB', creditor: 'Alpine Bakery Ltd' }
const MALFORMED = /status 3/

function plain(): string {
  return newMessage(CLEAN).replace(/<CtrlSum>.*?<\/CtrlSum>/, '')
}

/** With elements of somebody’s in the last place where there may be any. */
function supplemented(xml: string): string {
  return plain().replace('</CdtTrfTxInf>', `<SplmtryData><Envlp>${xml}</Envlp></SplmtryData></CdtTrfTxInf>`)
}

function reasonOf(message: string | Uint8Array): string | null | undefined {
  return bank.decide([typeof message === 'string' ? bytes(message) : message]).items[0]?.reason
}

/** Document, transfer, transaction, data, envelope: what is in it begins at six. */
const OUTSIDE = 5
const nested = (depth: number): string => `${'<x>'.repeat(depth - OUTSIDE)}${'</x>'.repeat(depth - OUTSIDE)}`
const many = (count: number, item: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => item(index)).join('')
const prefixes = (name: string, count: number): string => many(count, index => ` xmlns:${name}${index}="u"`)
/** The document declares one itself; a tag has at most 16. */
const bound = (count: number): string => `<x${prefixes('a', 16)}><y${prefixes('b', count - 17)}/></x>`

for (const [what, most, make] of [
  ['elements in one another', 32, nested],
  ['attributes of a tag', 16, (count: number) => `<x ${many(count, index => `a${index}="" `)}/>`],
  ['prefixes that are declared', 32, bound],
  ['bytes of a name', 128, (length: number) => `<${'n'.repeat(length)}/>`],
  [
    'bytes of an attribute with references',
    16_384,
    (length: number) => `<x a="&lt;${'v'.repeat(length - 1)}"/>`,
  ],
] as const) {
  test(`${most} ${what} are read, and one more is not`, () => {
    assert.equal(reasonOf(supplemented(make(most))), null)
    assert.equal(reasonOf(supplemented(make(most + 1))), 'FF01')
  })
}

test('a text of the longest type may be of references alone', () => {
  const remittance = (length: number): string =>
    plain()
      .replace(/<RmtInf>.*?<\/RmtInf>/, '')
      .replace(
        '</CdtTrfTxInf>',
        `<RltdRmtInf><RmtLctnDtls><Mtd>EMAL</Mtd><ElctrncAdr>${'&#x1F989;'.repeat(length)}</ElctrncAdr></RmtLctnDtls></RltdRmtInf></CdtTrfTxInf>`,
      )
  const answers = decideTwice([remittance(2048), remittance(2049)])
  assert.deepEqual(
    answers.map(([answer]) => answer?.reason),
    [null, 'FF01'],
  )
})

test('reading stops where a reference is none', () => {
  const message = text('EndToEndId', 'a&nbsp;b')(plain(), new Random(1))
  assert.equal(bank.decide([bytes(message)]).items[0]?.offset, message.indexOf('&nbsp;'))
})

/** First and last character of each length, around the surrogates, and those that XML has not. */
const SEQUENCES: Readonly<Record<'characters' | 'none', readonly string[]>> = {
  characters: ['7f', 'c280', 'dfbf', 'e0a080', 'ed9fbf', 'ee8080', 'efbfbd', 'f0908080', 'f48fbfbf'],
  none: (
    '00 08 0b 1f 80 bf c080 c1bf c2 c27f c2c0 e09fbf e0a0 eda080 ' +
    'edbfbf efbfbe efbfbf f08fbfbf f0908f f4908080 f5808080 ff fe'
  ).split(' '),
}

test('every border of UTF-8 and of XML’s characters is where the reference has it', () => {
  const messages = Object.values(SEQUENCES).map(sequences =>
    sequences.map(hex => {
      const [before = '', after = ''] = text('EndToEndId', 'a-b')(plain(), new Random(1)).split('a-b')
      return Buffer.concat([bytes(before), Buffer.from(hex, 'hex'), bytes(after)])
    }),
  )
  const answers = decideTwice(messages.flat()).map(([answer]) => answer?.reason)
  const [characters = []] = messages
  assert.deepEqual(answers, [...characters.map(() => null), ...SEQUENCES.none.map(() => 'FF01')])
})

test('a message of a mebibyte is decided, and a frame with a larger one is malformed', () => {
  const padded = (size: number): Uint8Array => {
    const message = bytes(plain())
    return Buffer.concat([message, Buffer.alloc(size - message.length, ' ')])
  }
  assert.equal(reasonOf(padded(MAX_MESSAGE)), null)
  assert.throws(() => bank.decide([padded(MAX_MESSAGE + 1)]), MALFORMED)
})

test('a frame has 4,096 messages, not one more, and at least one', () => {
  const message = bytes('<x/>')
  const examined = (count: number): number =>
    bank.examine(Array.from({ length: count }, () => message)).length
  assert.equal(examined(MAX_MESSAGES), MAX_MESSAGES * 96)
  assert.throws(() => examined(MAX_MESSAGES + 1), MALFORMED)
  assert.throws(() => examined(0), MALFORMED)
})

/** With as many payments as are asked for, each as short as the schema lets it be. */
function shortPayments(first: number, count: number): Uint8Array {
  const message = Buffer.from(messageFor('')).toString().replace('<Cdtr><Nm></Nm></Cdtr>', '<Cdtr/>')
  const [before = '', payment = '', after = ''] = message.split(/(<CdtTrfTxInf>.*<\/CdtTrfTxInf>)/)
  const payments = many(count, index => payment.replace('<TxId>1<', `<TxId>${first + index}<`))
  return bytes(
    `${before.replace('<NbOfTxs>1<', `<NbOfTxs>${count}<`)}${payments}${after}`.replaceAll(
      '1970-01-01',
      '2026-11-25',
    ),
  )
}

test('a message may consist of the shortest payments, and a frame of 8,192 of them', () => {
  const own = new Bank(SANCTIONS, new Uint8Array(), { ...DEFAULT_RULES, remembered: 65_536 })
  const frame = (count: number, first: number): Uint8Array[] =>
    Array.from({ length: Math.ceil(count / 1024) }, (_, index) =>
      shortPayments(first + index * 1024, Math.min(1024, count - index * 1024)),
    )
  const { items, fresh } = own.decide(frame(8192, 0))
  assert.deepEqual([items.length, fresh], [8192, 8192])
  assert.deepEqual([...new Set(items.map(({ reason }) => reason))], [null])
  assert.throws(() => own.decide(frame(8193, 10_000)), MALFORMED)
})
