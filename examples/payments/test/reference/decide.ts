// The enclave's decisions, made again plainly: parse to a tree, validate, check, screen exhaustively, keep maps for what was
// seen. Plain and slow; the tests demand that every answer of the enclave equals this one's.
import { hash } from 'node:crypto'
import { COUNTRIES, CURRENCIES, isIban } from './codes.ts'
import type { Hit, ReferenceList } from './screening.ts'
import { dayOf, decimalOf, fractionDigits } from './simple.ts'
import { isValidDocument } from './validate.ts'
import { type Node, parseXml } from './xml.ts'

export interface Settings {
  readonly threshold: number
  /** By currency: most of one payment and of a debtor's day, in the currency's smallest units. */
  readonly limits: ReadonlyMap<string, readonly [perPayment: bigint, perDay: bigint]>
}

export interface Answer {
  readonly decision: 'ACCEPT' | 'REJECT' | 'HOLD'
  /** ISO 20022 external status reason. */
  readonly reason: string | null
  readonly score: number
  readonly listId: number
  readonly role: string | null
  /** Null if it is about the whole message. */
  readonly payment: number | null
}

/** Paths whose names and banks stand for a party, in the enclave's words for them. */
const ROLES: Readonly<Record<string, string>> = {
  Dbtr: 'dbtr',
  Cdtr: 'cdtr',
  UltmtDbtr: 'ultmtDbtr',
  UltmtCdtr: 'ultmtCdtr',
  InitgPty: 'initgPty',
  DbtrAgt: 'dbtrAgt',
  CdtrAgt: 'cdtrAgt',
  InstdAgt: 'instdAgt',
  IntrmyAgt1: 'intrmyAgt',
  IntrmyAgt2: 'intrmyAgt',
  IntrmyAgt3: 'intrmyAgt',
  PrvsInstgAgt1: 'prvsInstgAgt',
  PrvsInstgAgt2: 'prvsInstgAgt',
  PrvsInstgAgt3: 'prvsInstgAgt',
  InstgRmbrsmntAgt: 'rmbrsmntAgt',
  InstdRmbrsmntAgt: 'rmbrsmntAgt',
  ThrdRmbrsmntAgt: 'rmbrsmntAgt',
  Agt: 'chrgsAgt',
  Invcr: 'remittance',
  Invcee: 'remittance',
  Grnshee: 'remittance',
  GrnshmtAdmstr: 'remittance',
}

interface Remembered {
  readonly digest: string
  readonly answer: Answer
}

interface Found extends Hit {
  readonly role: string
}

export class ReferenceDecider {
  readonly #list: ReferenceList
  readonly #settings: Settings
  readonly #seen = new Map<string, Remembered>()
  readonly #spent = new Map<string, bigint>()

  constructor(list: ReferenceList, settings: Settings) {
    this.#list = list
    this.#settings = settings
  }

  /** One answer a payment, or one for the whole message. `today` counts days since 1970-01-01. */
  decide(bytes: Uint8Array, today: number): Answer[] {
    const digest = hash('sha256', bytes)
    const transfer = transferOf(bytes)
    const whole = transfer === null ? 'FF01' : wholeFault(transfer, today)
    if (transfer === null || whole !== null) {
      return [{ decision: 'REJECT', reason: whole, score: 0, listId: 0, role: null, payment: null }]
    }
    const header = child(transfer, 'GrpHdr')
    return children(transfer, 'CdtTrfTxInf').map((transaction, index) =>
      this.#once(idsOf(header, transaction), `${digest}/${index}`, () =>
        this.#judge(header, transaction, index, today),
      ),
    )
  }

  /** The answer of the first time; other content under the same ids is refused. */
  #once(ids: string, digest: string, judge: () => Answer): Answer {
    const seen = this.#seen.get(ids)
    if (seen === undefined) {
      const answer = judge()
      this.#seen.set(ids, { digest, answer })
      return answer
    }
    if (seen.digest === digest) return seen.answer
    const payment = Number(digest.split('/')[1])
    return { decision: 'REJECT', reason: 'AM05', score: 0, listId: 0, role: null, payment }
  }

  #judge(header: Node, transaction: Node, payment: number, today: number): Answer {
    const hit = this.#screen(header, 'header') ?? null
    const own = this.#screen(transaction, 'transaction')
    const best = own !== null && own.score > (hit?.score ?? 0) ? own : hit
    if (best !== null) {
      return {
        decision: 'HOLD',
        reason: 'RR04',
        score: best.score,
        listId: best.id,
        role: best.role,
        payment,
      }
    }
    const reason = this.#fault(header, transaction, today) ?? this.#spend(transaction)
    const decision = reason === null ? 'ACCEPT' : 'REJECT'
    return { decision, reason, score: 0, listId: 0, role: null, payment }
  }

  #screen(part: Node, where: 'header' | 'transaction'): Found | null {
    let best: Found | null = null
    for (const { node, parent, role } of parties(part, where)) {
      let hit: Hit | null = null
      if (node.name === 'BICFI' || node.name === 'AnyBIC') hit = this.#list.bank(node.text)
      else if (isPartyName(node, parent)) hit = this.#list.screen(node.text, this.#settings.threshold)
      if (hit !== null && hit.score > (best?.score ?? 0)) best = { ...hit, role }
    }
    return best
  }

  /** The first of these, in this order. */
  #fault(header: Node, transaction: Node, today: number): string | null {
    const banks = [...parties(header, 'header'), ...parties(transaction, 'transaction')].filter(
      ({ node }) =>
        (node.name === 'BICFI' || node.name === 'AnyBIC') && !COUNTRIES.has(node.text.slice(4, 6)),
    )
    if (banks.some(({ role }) => role === 'dbtrAgt')) return 'RC03'
    if (banks.some(({ role }) => role === 'cdtrAgt')) return 'RC04'
    if (banks.length > 0) return 'RC01'
    const ibans = [...all(header, 'IBAN'), ...all(transaction, 'IBAN')].filter(node => !isIban(node.text))
    const isOf = (name: string) =>
      all(find(transaction, name) ?? EMPTY, 'IBAN').some(node => ibans.includes(node))
    if (isOf('DbtrAcct')) return 'AC02'
    if (isOf('CdtrAcct')) return 'AC03'
    if (ibans.length > 0) return 'AC01'
    return amountFault(transaction) ?? dateFault(header, transaction, today) ?? this.#limitFault(transaction)
  }

  #limitFault(transaction: Node): string | null {
    const limits = this.#settings.limits.get(currencyOf(transaction))
    if (limits === undefined) return 'AM03'
    return minorUnits(transaction) > limits[0] ? 'AM02' : null
  }

  #spend(transaction: Node): string | null {
    const key = debtorOf(transaction)
    const spent = (this.#spent.get(key) ?? 0n) + minorUnits(transaction)
    if (spent > (this.#settings.limits.get(currencyOf(transaction))?.[1] ?? 0n)) return 'AM21'
    this.#spent.set(key, spent)
    return null
  }
}

const EMPTY: Node = {
  name: '',
  namespace: null,
  isOfMessage: false,
  currency: null,
  children: [],
  hasText: false,
  text: '',
  hasOtherAttributes: false,
}

function children(node: Node, name: string): Node[] {
  return node.children.filter(item => item.name === name)
}

function find(node: Node, ...path: string[]): Node | undefined {
  return path.reduce<Node | undefined>((at, name) => at?.children.find(item => item.name === name), node)
}

function child(node: Node, ...path: string[]): Node {
  const found = find(node, ...path)
  if (found === undefined) throw new TypeError(`no ${path.join('/')}`)
  return found
}

function all(node: Node, name: string): Node[] {
  return node.children.flatMap(item => [...(item.name === name ? [item] : []), ...all(item, name)])
}

interface Placed {
  readonly node: Node
  readonly parent: Node
  readonly role: string
}

/** Every leaf with its parent and the nearest party around it, in the order of the document. */
function parties(part: Node, where: 'header' | 'transaction', role = ''): Placed[] {
  return part.children.flatMap(node => {
    const instructing = where === 'header' ? 'instgAgt' : 'txInstgAgt'
    const own = node.name === 'InstgAgt' ? instructing : isParty(node) ? ROLES[node.name] : undefined
    const mine = own ?? role
    return [{ node, parent: part, role: mine }, ...parties(node, where, mine)]
  })
}

/** `Dbtr` and `Cdtr` of a tax record are no parties of the payment. */
function isParty(node: Node): boolean {
  return !node.children.some(item => ['TaxId', 'RegnId', 'TaxTp', 'Authstn'].includes(item.name))
}

const PARTY_CHILDREN = new Set(['Nm', 'PstlAdr', 'Id', 'CtryOfRes', 'CtctDtls'])

/** The name of a party or an institution: not that of an account, a branch, a contact or an authority. */
function isPartyName(node: Node, parent: Node): boolean {
  if (node.name !== 'Nm') return false
  if (parent.name === 'FinInstnId') return true
  if (!(parent.name in ROLES)) return false
  return parent.children.every(item => PARTY_CHILDREN.has(item.name))
}

function transferOf(bytes: Uint8Array): Node | null {
  const root = parseXml(bytes)
  if (root === null) return null
  const document = root.name === 'Document' ? root : inEnvelope(root)
  if (document === null || !document.isOfMessage || hasStrangeAttributes(document)) return null
  return isValidDocument(document) ? child(document, 'FIToFICstmrCdtTrf') : null
}

function inEnvelope(root: Node): Node | null {
  const documents = children(root, 'Document')
  const headers = children(root, 'AppHdr')
  const [document] = documents
  if (document === undefined || documents.length > 1 || headers.length > 1 || root.hasText) return null
  if (root.children.length !== documents.length + headers.length || root.children.at(-1) !== document)
    return null
  const definition = headers[0] === undefined ? undefined : find(headers[0], 'MsgDefIdr')
  return definition === undefined || definition.text === 'pacs.008.001.07' ? document : null
}

function hasStrangeAttributes(node: Node): boolean {
  if (node.name === 'Envlp') return node.hasOtherAttributes
  return node.hasOtherAttributes || node.children.some(hasStrangeAttributes)
}

function wholeFault(transfer: Node, today: number): string | null {
  const header = child(transfer, 'GrpHdr')
  const transactions = children(transfer, 'CdtTrfTxInf')
  if (BigInt(child(header, 'NbOfTxs').text) !== BigInt(transactions.length)) return 'AM18'
  const sum = transactions.reduce((sum, item) => sum + decimalOf(child(item, 'IntrBkSttlmAmt').text), 0n)
  const control = find(header, 'CtrlSum')
  if (control !== undefined && decimalOf(control.text) !== sum) return 'AM10'
  const total = find(header, 'TtlIntrBkSttlmAmt')
  if (total !== undefined) {
    const isOne = transactions.every(item => currencyOf(item) === total.currency)
    if (!isOne || decimalOf(total.text) !== sum) return 'AM09'
  }
  return dayOf(child(header, 'CreDtTm').text) > today + 1 ? 'DT02' : null
}

function currencyOf(transaction: Node): string {
  return child(transaction, 'IntrBkSttlmAmt').currency ?? ''
}

function amountFault(transaction: Node): string | null {
  const { text, currency } = child(transaction, 'IntrBkSttlmAmt')
  const decimals = CURRENCIES.get(currency ?? '')
  if (decimals === undefined) return 'AM11'
  const instructed = find(transaction, 'InstdAmt')
  const most = CURRENCIES.get(instructed?.currency ?? '')
  const isTooFine = instructed !== undefined && most !== undefined && fractionDigits(instructed.text) > most
  if (fractionDigits(text) > decimals || isTooFine) return 'AM12'
  return decimalOf(text) === 0n ? 'AM01' : null
}

const BACK = 5
const AHEAD = 90

function dateFault(header: Node, transaction: Node, today: number): string | null {
  const dates = [find(header, 'IntrBkSttlmDt'), find(transaction, 'IntrBkSttlmDt')].filter(
    date => date !== undefined,
  )
  const [date] = dates
  if (date === undefined || dates.length > 1) return 'DT01'
  const day = dayOf(date.text)
  return day < today - BACK || day > today + AHEAD ? 'DT01' : null
}

function minorUnits(transaction: Node): bigint {
  const { text, currency } = child(transaction, 'IntrBkSttlmAmt')
  return decimalOf(text) / 10n ** BigInt(17 - (CURRENCIES.get(currency ?? '') ?? 0))
}

function idsOf(header: Node, transaction: Node): string {
  const sender =
    find(transaction, 'InstgAgt', 'FinInstnId', 'BICFI') ?? find(header, 'InstgAgt', 'FinInstnId', 'BICFI')
  const ids = ['EndToEndId', 'TxId'].map(name => child(transaction, 'PmtId', name).text)
  return JSON.stringify([sender?.text ?? '', child(header, 'MsgId').text, ...ids])
}

function debtorOf(transaction: Node): string {
  const currency = currencyOf(transaction)
  const iban = find(transaction, 'DbtrAcct', 'Id', 'IBAN')
  if (iban !== undefined) return JSON.stringify([currency, iban.text])
  const bank = find(transaction, 'DbtrAgt', 'FinInstnId', 'BICFI')?.text ?? ''
  const other = find(transaction, 'DbtrAcct', 'Id', 'Othr', 'Id')
  const name = find(transaction, 'Dbtr', 'Nm')?.text ?? ''
  return JSON.stringify([currency, bank, other === undefined ? 'name' : 'account', other?.text ?? name])
}
