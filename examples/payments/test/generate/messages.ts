// Messages pacs.008.001.07 as banks send them: one payment or several, 1 to 4 KB each, with what a test asks for put in:
// names of a list, faults of every kind.
import { bankName, firmName, personName } from './names.ts'
import { CAPITALS, DIGITS, type Random } from './random.ts'

/** Countries with the letters and digits of their account numbers. */
const IBANS: readonly (readonly [country: string, bban: string])[] = [
  ['DE', '000000000000000000'],
  ['FR', '00000000000000000000000'],
  ['GB', 'AAAA00000000000000'],
  ['NL', 'AAAA0000000000'],
  ['ES', '00000000000000000000'],
  ['IT', 'A0000000000AAAA00000000'],
  ['CH', '00000AAAA00000000'],
  ['AE', '0000000000000000000'],
  ['TR', '0000000000000000000000'],
  ['PL', '000000000000000000000000'],
]
const CURRENCIES = ['EUR', 'USD', 'GBP', 'CHF', 'JPY', 'KWD', 'SEK', 'SGD'] as const
const DECIMALS: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 }
const TOWNS = [
  'Frankfurt am Main',
  'Paris',
  'London',
  'Rotterdam',
  'Zürich',
  'Milano',
  'İstanbul',
  'Singapore',
  'Warszawa',
  'Dubai',
]
const STREETS = [
  'Hauptstrasse',
  'Rue de la Paix',
  'High Street',
  'Via Roma',
  'Calle Mayor',
  'Kungsgatan',
  'Orchard Road',
]

export interface Payment {
  readonly debtor: string
  readonly creditor: string
  readonly currency: string
  /** In the currency, as it is written. */
  readonly amount: string
  readonly debtorIban: string
  readonly creditorIban: string
}

export interface MessageOptions {
  /** Day of business, YYYY-MM-DD. */
  readonly date: string
  readonly messageId: string
  readonly payments: readonly Payment[]
}

/** Check digits by ISO 7064, mod 97-10. */
export function iban(random: Random): string {
  const [country, shape] = random.pick(IBANS)
  const bban = Array.from(shape, kind => random.text(1, kind === '0' ? DIGITS : CAPITALS)).join('')
  const digits = Array.from(`${bban}${country}00`, letter => Number.parseInt(letter, 36)).join('')
  return `${country}${String(98n - (BigInt(digits) % 97n)).padStart(2, '0')}${bban}`
}

export function bic(random: Random): string {
  const branch = random.chance(0.5) ? random.text(3, CAPITALS) : ''
  return `${random.text(4, CAPITALS)}${random.pick(IBANS)[0]}${random.text(1, '23456789')}${random.text(1, 'XLM')}${branch}`
}

export function payment(random: Random): Payment {
  const currency = random.pick(CURRENCIES)
  const decimals = DECIMALS[currency] ?? 2
  const whole = 1 + Math.floor(10 ** (1 + random.next() * 4))
  const fraction = decimals === 0 ? '' : `.${random.text(decimals, DIGITS)}`
  return {
    debtor: random.chance(0.6) ? firmName(random) : personName(random),
    creditor: random.chance(0.6) ? firmName(random) : personName(random),
    currency,
    amount: `${whole}${fraction}`,
    debtorIban: iban(random),
    creditorIban: iban(random),
  }
}

/** Without white space between elements, as systems write it. */
export function message(random: Random, { date, messageId, payments }: MessageOptions): string {
  const header = [
    element('MsgId', messageId),
    element(
      'CreDtTm',
      `${date}T${random.text(1, '01')}${random.text(1, DIGITS)}:1${random.text(1, DIGITS)}:00Z`,
    ),
    element('NbOfTxs', String(payments.length)),
    random.chance(0.5) ? element('CtrlSum', sum(payments)) : '',
    element('IntrBkSttlmDt', date),
    element('SttlmInf', element('SttlmMtd', random.pick(['INDA', 'INGA', 'CLRG']))),
    element('InstgAgt', agent(random)),
    element('InstdAgt', agent(random)),
  ]
  const transactions = payments.map((item, index) => transaction(random, item, `${messageId}-${index}`))
  const body = element('FIToFICstmrCdtTrf', element('GrpHdr', header.join('')) + transactions.join(''))
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.07" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${body}</Document>`
  )
}

function transaction(random: Random, payment: Payment, id: string): string {
  const ids = element('InstrId', `I${id}`) + element('EndToEndId', `E${id}`) + element('TxId', `T${id}`)
  const amount = (name: string) => `<${name} Ccy="${payment.currency}">${payment.amount}</${name}>`
  const account = (name: string, value: string) => element(name, element('Id', element('IBAN', value)))
  return element(
    'CdtTrfTxInf',
    [
      element('PmtId', ids),
      element('PmtTpInf', element('InstrPrty', 'NORM') + element('SvcLvl', element('Cd', 'SEPA'))),
      amount('IntrBkSttlmAmt'),
      element('SttlmPrty', random.pick(['NORM', 'HIGH'])),
      random.chance(0.5) ? amount('InstdAmt') : '',
      element('ChrgBr', random.pick(['SHAR', 'DEBT', 'CRED', 'SLEV'])),
      random.chance(0.2) ? element('IntrmyAgt1', agent(random)) : '',
      random.chance(0.1) ? element('UltmtDbtr', element('Nm', escape(personName(random)))) : '',
      element('Dbtr', party(random, payment.debtor)),
      account('DbtrAcct', payment.debtorIban),
      element('DbtrAgt', agent(random)),
      element('CdtrAgt', agent(random)),
      element('Cdtr', party(random, payment.creditor)),
      account('CdtrAcct', payment.creditorIban),
      random.chance(0.1) ? element('UltmtCdtr', element('Nm', escape(personName(random)))) : '',
      element('Purp', element('Cd', random.pick(['SUPP', 'SALA', 'GDDS', 'OTHR']))),
      remittance(random),
    ].join(''),
  )
}

function agent(random: Random): string {
  const name = random.chance(0.4) ? element('Nm', escape(bankName(random))) : ''
  return element('FinInstnId', element('BICFI', bic(random)) + name)
}

function party(random: Random, name: string): string {
  const lines = [
    `${random.pick(STREETS)} ${1 + random.below(200)}`,
    `${random.text(5, DIGITS)} ${random.pick(TOWNS)}`,
  ]
  const structured =
    element('StrtNm', random.pick(STREETS)) +
    element('BldgNb', String(1 + random.below(200))) +
    element('PstCd', random.text(5, DIGITS)) +
    element('TwnNm', random.pick(TOWNS)) +
    element('Ctry', random.pick(IBANS)[0])
  const loose = element('Ctry', random.pick(IBANS)[0]) + lines.map(line => element('AdrLine', line)).join('')
  return element('Nm', escape(name)) + element('PstlAdr', random.chance(0.7) ? structured : loose)
}

function remittance(random: Random): string {
  const free = element(
    'Ustrd',
    `Invoice ${random.text(8, DIGITS)} of order ${random.text(6, CAPITALS)}, thank you`,
  )
  if (random.chance(0.7)) return element('RmtInf', free)
  const type = element('Tp', element('CdOrPrtry', element('Cd', 'CINV')))
  const document = element(
    'RfrdDocInf',
    type + element('Nb', random.text(10, DIGITS)) + element('RltdDt', '2026-01-15'),
  )
  const reference = element('CdtrRefInf', element('Ref', `RF18${random.text(12, DIGITS)}`))
  return element('RmtInf', free + element('Strd', document + reference))
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Without regard to currencies, as ISO 20022 has it. */
function sum(payments: readonly Payment[]): string {
  const total = payments.reduce((sum, { amount }) => sum + thousandths(amount), 0n)
  return `${total / 1000n}.${String(total % 1000n).padStart(3, '0')}`
}

function thousandths(amount: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  return BigInt(whole + fraction.padEnd(3, '0'))
}
