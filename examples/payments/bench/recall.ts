// How many listed names are found however they are written, and how many are found that are not listed. Every name goes
// through the enclave in a message of its own; a sample of them goes through the exhaustive reference as well.

import {
  EXAMINED,
  EXAMINED_DECISION_AT,
  EXAMINED_LIST_ID_AT,
  EXAMINED_SCORE_AT,
  HOLD,
} from '../assembly/wire.ts'
import { encodeFrame } from '../frames.ts'
import type { SanctionsFiles } from '../owner.ts'
import { listedNames } from '../test/generate/inputs.ts'
import { escape } from '../test/generate/messages.ts'
import { bankName, firmName, personName } from '../test/generate/names.ts'
import { PERTURBATIONS } from '../test/generate/perturb.ts'
import { Random } from '../test/generate/random.ts'
import type { Hit, ReferenceList } from '../test/reference/screening.ts'

/** One name screened, by whatever screens. */
export type Screen = (names: readonly string[]) => Promise<readonly (Hit | null)[]>

export interface Rate {
  readonly what: string
  readonly names: number
  /** Held for whomever. */
  readonly held: number
  /** Held for the party whose name it was. */
  readonly heldForParty: number
}

/** Through the enclave's call `examine`. */
export function screenWith(examine: (frame: Uint8Array) => Promise<Uint8Array>): Screen {
  return async names => {
    const hits: (Hit | null)[] = []
    for (let at = 0; at < names.length; at += 500) {
      const frame = encodeFrame(names.slice(at, at + 500).map(messageFor))
      const records = Buffer.from(await examine(new Uint8Array(frame)))
      for (let record = 0; record < records.length; record += EXAMINED) {
        const isHit = records[record + EXAMINED_DECISION_AT] === HOLD
        const score = records[record + EXAMINED_SCORE_AT] ?? 0
        hits.push(isHit ? { score, id: records.readUInt32LE(record + EXAMINED_LIST_ID_AT) } : null)
      }
    }
    return hits
  }
}

/** Of each kind of writing, `count` names. */
export async function measureRecall(screen: Screen, files: SanctionsFiles, count: number): Promise<Rate[]> {
  const listed = listedNames(files)
  const rates: Rate[] = []
  for (const [what, perturb] of Object.entries(PERTURBATIONS)) {
    const random = new Random(1)
    const written: { id: number; name: string }[] = []
    for (let tries = 0; written.length < count && tries < 50 * count; tries++) {
      const { id, name } = random.pick(listed)
      const changed = perturb(name, random)
      if (changed !== null && changed.length <= 140) written.push({ id, name: changed })
    }
    const hits = await screen(written.map(({ name }) => name))
    const held = hits.filter(hit => hit !== null).length
    const heldForParty = hits.filter((hit, index) => hit?.id === written[index]?.id).length
    rates.push({ what, names: written.length, held, heldForParty })
  }
  return rates
}

/** Of made-up people, firms and banks that are on no list. */
export async function measureFalsePositives(screen: Screen, count: number): Promise<Rate[]> {
  const kinds = {
    'people of no list': personName,
    'firms of no list': firmName,
    'banks of no list': bankName,
  }
  const rates: Rate[] = []
  for (const [what, make] of Object.entries(kinds)) {
    const random = new Random(2)
    const names = Array.from({ length: count }, () => make(random))
    const held = (await screen(names)).filter(hit => hit !== null).length
    rates.push({ what, names: names.length, held, heldForParty: 0 })
  }
  return rates
}

/** How many of the names, as they stand and as others write them, have another answer than the exhaustive reference's. */
export async function countDifferences(
  screen: Screen,
  list: ReferenceList,
  options: DifferenceOptions,
): Promise<number> {
  const { files, count, threshold } = options
  const random = new Random(3)
  const listed = listedNames(files)
  const perturbations = Object.values(PERTURBATIONS)
  const names = Array.from({ length: count }, (_, index) => {
    if (index % 3 === 0) return random.chance(0.5) ? personName(random) : firmName(random)
    const { name } = random.pick(listed)
    return (random.pick(perturbations)(name, random) ?? name).slice(0, 140)
  })
  const hits = await screen(names)
  return names.filter((name, index) => {
    const [hit, expected] = [hits[index], list.screen(name, threshold)]
    return hit?.id !== expected?.id || hit?.score !== expected?.score
  }).length
}

export interface DifferenceOptions {
  readonly files: SanctionsFiles
  readonly count: number
  readonly threshold: number
}

/** A message whose only name is this one. */
export function messageFor(name: string): Uint8Array {
  const agent = '<FinInstnId><BICFI>AAAADEFFXXX</BICFI></FinInstnId>'
  return Buffer.from(
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.07"><FIToFICstmrCdtTrf><GrpHdr><MsgId>1</MsgId>' +
      '<CreDtTm>1970-01-01T00:00:00</CreDtTm><NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>' +
      '<CdtTrfTxInf><PmtId><EndToEndId>1</EndToEndId><TxId>1</TxId></PmtId><IntrBkSttlmAmt Ccy="EUR">1</IntrBkSttlmAmt>' +
      '<IntrBkSttlmDt>1970-01-01</IntrBkSttlmDt><ChrgBr>SHAR</ChrgBr>' +
      `<Dbtr/><DbtrAgt>${agent}</DbtrAgt><CdtrAgt>${agent}</CdtrAgt><Cdtr><Nm>${escape(name)}</Nm></Cdtr>` +
      '</CdtTrfTxInf></FIToFICstmrCdtTrf></Document>',
  )
}
