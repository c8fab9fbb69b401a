// Every limit of what a message may hold: the last value within it, and the first beyond. One too many or too few in the
// enclave's numbers fails one of these; the reference decides each of them as well.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Change, replace, text } from '../generate/faults.ts'
import { Random } from '../generate/random.ts'
import { decideTwice } from './comparing.ts'
import { newMessage } from './fixture.ts'

const OWL = '🦉'
const NINES = '9'.repeat(17)

/** In the remittance, where every type of the schema is and none of them decides anything. */
function structured(xml: string): Change {
  return message =>
    message
      .replace(/<RmtInf>.*?<\/RmtInf>/, '')
      .replace('</CdtTrfTxInf>', `<RmtInf><Strd>${xml}</Strd></RmtInf></CdtTrfTxInf>`)
}
const due = (amount: string): Change =>
  structured(`<RfrdDocAmt><DuePyblAmt Ccy="EUR">${amount}</DuePyblAmt></RfrdDocAmt>`)
const dated = (date: string): Change => structured(`<RfrdDocInf><RltdDt>${date}</RltdDt></RfrdDocInf>`)
const phone = (number: string): Change =>
  replace(/<\/PstlAdr><\/Dbtr>/, `</PstlAdr><CtctDtls><PhneNb>${number}</PhneNb></CtctDtls></Dbtr>`)
const paid = (currency: string, amount: string): Change => {
  return message =>
    message
      .replace(/<InstdAmt.*?<\/InstdAmt>/, '')
      .replace(
        /<IntrBkSttlmAmt.*?<\/IntrBkSttlmAmt>/,
        `<IntrBkSttlmAmt Ccy="${currency}">${amount}</IntrBkSttlmAmt>`,
      )
}
const instructed = (currency: string, amount: string): Change => {
  return message =>
    message
      .replace(/<InstdAmt.*?<\/InstdAmt>/, '')
      .replace('<ChrgBr>', `<InstdAmt Ccy="${currency}">${amount}</InstdAmt><ChrgBr>`)
}
const debtorIban = (iban: string): Change => replace(/(<DbtrAcct><Id><IBAN>)[^<]*/, `$1${iban}`)

/** Values that are valid up to a limit, and the answer beyond it; FF01 if nothing is said. */
const LIMITS: Readonly<
  Record<
    string,
    { readonly within: readonly Change[]; readonly beyond: readonly Change[]; readonly reason?: string }
  >
> = {
  'an id of 35 characters': {
    within: [
      text('EndToEndId', 'X'.repeat(35)),
      text('EndToEndId', OWL.repeat(35)),
      text('EndToEndId', '&amp;'.repeat(35)),
    ],
    beyond: [
      text('EndToEndId', 'X'.repeat(36)),
      text('EndToEndId', OWL.repeat(36)),
      text('EndToEndId', '&amp;'.repeat(36)),
    ],
  },
  'a count of 15 digits': {
    within: [text('NbOfTxs', '1'.padStart(15, '0'))],
    beyond: [text('NbOfTxs', '1'.padStart(16, '0'))],
  },
  'an amount of 18 digits, 5 of them behind the point': {
    within: [due(`1${NINES}`), due('1234567890123.12345'), due('1.12345'), due(`00${'1'.repeat(18)}.000000`)],
    beyond: [due(`11${NINES}`), due('12345678901234.12345'), due('1.123456'), due('0.000001')],
  },
  'a control sum of 18 digits, 17 of them behind the point': {
    within: [],
    beyond: [sum(`0.${'1'.repeat(17)}`), sum('9'.repeat(18)), sum(`1.${'1'.repeat(17)}`)],
    reason: 'AM10',
  },
  'a control sum of more digits': {
    within: [],
    beyond: [sum(`0.${'1'.repeat(18)}`), sum('9'.repeat(19)), sum(`11.${'1'.repeat(17)}`)],
  },
  'days that the calendar has': {
    within: [
      '2024-02-29',
      '2000-02-29',
      '0001-01-01',
      '9999-12-31',
      '2026-04-30',
      '2026-01-31',
      '2026-11-30',
    ].map(dated),
    beyond: ['2023-02-29', '2100-02-29', '0000-01-01', '2026-13-01', '2026-00-10', '2026-04-31', '2026-06-31']
      .concat('2026-09-31', '2026-11-31', '2026-01-32', '2026-01-00', '10000-01-01')
      .map(dated),
  },
  'time zones up to 14 hours': {
    within: ['Z', '+14:00', '-14:00', '+13:59', '+00:00'].map(zone => dated(`2026-01-01${zone}`)),
    beyond: ['+14:01', '-14:01', '+15:00', '+13:60', '+1:00', 'z'].map(zone => dated(`2026-01-01${zone}`)),
  },
  'times of a day': {
    within: ['23:59:59', '00:00:00.5', '23:59:59.999999999999Z'].map(moment),
    beyond: ['24:00:00', '23:60:00', '23:59:60', '23:59:59.', '1:00:00'].map(moment),
  },
  'phone numbers': {
    within: ['+1-2', `+123-${'4'.repeat(30)}`, '+49-(0)30+1-2'].map(phone),
    beyond: ['+1-', `+123-${'4'.repeat(31)}`, '+1234-5', '+-5', '1-5', '+1-5x'].map(phone),
  },
  BICs: {
    within: ['ABCDDE22', 'ABCDDE9NXXX', 'ABCDDEAP'].map(bic => text('BICFI', bic)),
    beyond: ['ABCDDE12', 'ABCDDE02', 'ABCDDE2O', 'ABCDDE2', 'ABCDDE22X', 'ABCDDE22XX', 'ABCDDE22XXXX'].map(
      bic => text('BICFI', bic),
    ),
  },
  'a text of IBAN’s shape': {
    within: [],
    beyond: [debtorIban('DE891'), debtorIban(`DE89${'a'.repeat(30)}`)],
    reason: 'AC02',
  },
  'a text of another shape': {
    within: [],
    beyond: [
      debtorIban('DE89'),
      debtorIban(`DE89${'a'.repeat(31)}`),
      debtorIban('De891'),
      debtorIban('DEX91'),
    ],
  },
  'IBANs of their country’s length': {
    within: [debtorIban('DE89370400440532013000'), debtorIban('NO9386011117947')],
    beyond: [debtorIban('DE8937040044053201300'), debtorIban('DE893704004405320130000')],
    reason: 'AC02',
  },
  'a message made tomorrow': {
    within: [text('CreDtTm', '2026-11-26T23:59:59')],
    beyond: [text('CreDtTm', '2026-11-27T00:00:00')],
    reason: 'DT02',
  },
  'a settlement from five days back to ninety ahead': {
    within: [text('IntrBkSttlmDt', '2026-11-20'), text('IntrBkSttlmDt', '2027-02-23')],
    beyond: [text('IntrBkSttlmDt', '2026-11-19'), text('IntrBkSttlmDt', '2027-02-24')],
    reason: 'DT01',
  },
  'decimals of the currency': {
    within: [
      paid('EUR', '1.25'),
      paid('JPY', '5'),
      paid('KWD', '1.125'),
      instructed('EUR', '1.25'),
      instructed('XXX', '1.12345'),
    ],
    beyond: [
      paid('EUR', '1.255'),
      paid('JPY', '5.5'),
      paid('KWD', '1.1255'),
      instructed('EUR', '1.255'),
      instructed('JPY', '0.1'),
    ],
    reason: 'AM12',
  },
  'a payment of the currency’s limit': {
    within: [paid('EUR', '1000000.00'), paid('JPY', '150000000'), paid('KWD', '1000000')],
    // Among them an amount whose thousandths are few again where 64 bits end.
    beyond: [
      paid('EUR', '1000000.01'),
      paid('JPY', '150000001'),
      paid('KWD', '18446744073709552'),
      paid('EUR', '9'.repeat(18)),
    ],
    reason: 'AM02',
  },
}

function sum(value: string): Change {
  return message => message.replace('</NbOfTxs>', `</NbOfTxs><CtrlSum>${value}</CtrlSum>`)
}

function moment(time: string): Change {
  return text('CreDtTm', `2026-11-25T${time}`)
}

for (const [what, { within, beyond, reason = 'FF01' }] of Object.entries(LIMITS)) {
  test(`${what}: what is within is accepted, and what is beyond has the answer ${reason}`, () => {
    const answers = decideTwice([...within, ...beyond].map(changed)).map(([answer]) => answer?.reason)
    assert.deepEqual(answers, [...within.map(() => null), ...beyond.map(() => reason)])
  })
}

/** A message that is accepted, without its control sum. */
function changed(change: Change): string {
  const plain = newMessage({ debtor: 'Nordic Seeds AB', creditor: 'Alpine Bakery Ltd' }).replace(
    /<CtrlSum>.*?<\/CtrlSum>/,
    '',
  )
  const message = change(plain, new Random(1))
  assert.notEqual(message, plain)
  return message
}

test('amounts are added up exactly, to the last amount that a control sum can be', () => {
  const two = (first: string, second: string, control: string): string => {
    const payment = (amount: string): string => {
      const [, transaction = ''] = /(<CdtTrfTxInf>.*<\/CdtTrfTxInf>)/.exec(changed(paid('EUR', amount))) ?? []
      return transaction
    }
    return changed(sum(control))
      .replace(/<CdtTrfTxInf>.*<\/CdtTrfTxInf>/, `${payment(first)}${payment(second)}`)
      .replace('<NbOfTxs>1<', '<NbOfTxs>2<')
  }
  const most = '9'.repeat(18)
  const answers = decideTwice([
    two(`${'9'.repeat(17)}8`, '1', most),
    two('0.99999', '0.00001', '1'),
    two('0.5', '0.50001', '1.00001'),
    two(most, '1', most),
    two(most, '0.9', most),
  ])
  assert.deepEqual(
    answers.map(([answer]) => answer?.reason),
    ['AM02', 'AM12', null, 'AM10', 'AM10'],
  )
})

test('ids that differ in their last character alone are those of different payments', () => {
  const ids = ['MsgId', 'EndToEndId', 'TxId']
  const full = ids.reduce(
    (message, id) => text(id, OWL.repeat(35))(message, new Random(1)),
    changed(paid('EUR', '1')),
  )
  const others = ids.map(id => text(id, `${OWL.repeat(34)}X`)(full, new Random(1)))
  const answers = decideTwice([full, ...others])
  assert.deepEqual(
    answers.map(([answer]) => answer?.decision),
    ['ACCEPT', 'ACCEPT', 'ACCEPT', 'ACCEPT'],
  )
})
