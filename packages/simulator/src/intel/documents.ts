// TCB info and enclave identities as the Provisioning Certification Service serves them: a JSON body, signed over
// its exact text by the TCB signing key (Intel PCS API v4 “Get TCB Info”, “Get QE Identity”; v3 for version 2).

import type { DocumentFault } from '../faults.ts'
import { type SigningKey, signRaw } from '../keys.ts'
import { QUOTING_ENCLAVES, type QuotingEnclave } from './quoting-enclave.ts'
import {
  CURRENT_CPU_SVN,
  CURRENT_PCE_SVN,
  type IntelSettings,
  type LevelStatus,
  PREVIOUS_CPU_SVN,
  PREVIOUS_PCE_SVN,
} from './settings.ts'
import { CURRENT_TDX_SVN, PREVIOUS_TDX_SVN, TDX_MODULE } from './tdx-module.ts'

/** As Intel’s: a month. */
const DOCUMENT_LIFETIME_MS = 30 * 86_400_000

const CURRENT_TCB_DATE = '2024-11-13T00:00:00Z'
const PREVIOUS_TCB_DATE = '2024-03-13T00:00:00Z'

const QUARTER_MS = 91 * 86_400_000

const PREVIOUS_LEVEL: LevelStatus = { status: 'OutOfDate', advisoryIds: ['CASEMATE-SIM-SA-00001'] }

export type IntelDocumentName = 'sgxTcbInfo' | 'tdxTcbInfo' | 'qeIdentity' | 'tdQeIdentity'

export type DocumentFaults = Partial<Record<IntelDocumentName, DocumentFault>>

export interface DocumentsInput {
  readonly key: SigningKey
  readonly settings: IntelSettings
  readonly now: Date
  readonly faults: DocumentFaults
}

/** Every document as the octets that the service would answer with. */
export function issueDocuments(input: DocumentsInput): Record<IntelDocumentName, Uint8Array> {
  const issue = (name: IntelDocumentName, body: Record<string, unknown>): Uint8Array =>
    signDocument(
      name.endsWith('TcbInfo') ? 'tcbInfo' : 'enclaveIdentity',
      body,
      input.key,
      input.faults[name],
    )
  const window = (name: IntelDocumentName) => ({
    issueDate: stamp(input.faults[name]?.issueDate ?? input.now),
    nextUpdate: stamp(input.faults[name]?.nextUpdate ?? new Date(input.now.getTime() + DOCUMENT_LIFETIME_MS)),
    tcbEvaluationDataNumber: input.settings.tcbEvaluationDataNumber,
  })
  return {
    sgxTcbInfo: issue('sgxTcbInfo', sgxTcbInfo(input.settings, window('sgxTcbInfo'))),
    tdxTcbInfo: issue('tdxTcbInfo', tdxTcbInfo(input.settings, window('tdxTcbInfo'))),
    qeIdentity: issue(
      'qeIdentity',
      identity(QUOTING_ENCLAVES.sgx, input.settings.statuses.qe, window('qeIdentity')),
    ),
    tdQeIdentity: issue(
      'tdQeIdentity',
      identity(QUOTING_ENCLAVES.tdx, input.settings.statuses.qe, window('tdQeIdentity')),
    ),
  }
}

interface Window {
  readonly issueDate: string
  readonly nextUpdate: string
  readonly tcbEvaluationDataNumber: number
}

function tcbInfoHead(settings: IntelSettings, version: 2 | 3, { tcbEvaluationDataNumber, ...dates }: Window) {
  return {
    version,
    ...dates,
    fmspc: settings.fmspc,
    pceId: settings.pceId,
    tcbType: 0,
    tcbEvaluationDataNumber,
  }
}

interface Level {
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
  readonly tdxSvn: readonly number[]
  readonly tail: ReturnType<typeof levelTail>
}

/** From the newest down, as served: each older level demands less, and lists more. */
function levels({ statuses, olderTcbLevels }: IntelSettings): readonly Level[] {
  const older = Array.from({ length: olderTcbLevels }, (_, index): Level => {
    const age = index + 1
    const advisoryIds = Array.from({ length: 2 + (age >> 1) }, (_, id) => simulatedAdvisory(id + 1))
    return {
      // One component after the other loses one.
      cpuSvn: PREVIOUS_CPU_SVN.map((svn, at) => Math.max(0, svn - (at < 8 ? (age + 7 - at) >> 3 : 0))),
      pceSvn: PREVIOUS_PCE_SVN - ((age + 1) >> 1),
      tdxSvn: PREVIOUS_TDX_SVN.map((svn, at) => Math.max(0, svn - (at < 3 ? (age + 2 - at) >> 3 : 0))),
      tail: levelTail({ status: 'OutOfDate', advisoryIds }, olderDate(age)),
    }
  })
  return [
    {
      cpuSvn: CURRENT_CPU_SVN,
      pceSvn: CURRENT_PCE_SVN,
      tdxSvn: CURRENT_TDX_SVN,
      tail: levelTail(statuses.platform),
    },
    {
      cpuSvn: PREVIOUS_CPU_SVN,
      pceSvn: PREVIOUS_PCE_SVN,
      tdxSvn: PREVIOUS_TDX_SVN,
      tail: levelTail(PREVIOUS_LEVEL, PREVIOUS_TCB_DATE),
    },
    ...older,
  ]
}

function simulatedAdvisory(number: number): string {
  return `CASEMATE-SIM-SA-${String(number).padStart(5, '0')}`
}

/** One quarter of a year for each step back. */
function olderDate(age: number): string {
  return stamp(new Date(Date.parse(PREVIOUS_TCB_DATE) - age * QUARTER_MS))
}

function sgxTcbInfo(settings: IntelSettings, window: Window): Record<string, unknown> {
  if (settings.sgxTcbInfoVersion === 2) {
    const tcbLevels = levels(settings).map(({ cpuSvn, pceSvn, tail }) => ({
      tcb: { ...numberedComponents(cpuSvn), pcesvn: pceSvn },
      ...tail,
    }))
    return { ...tcbInfoHead(settings, 2, window), tcbLevels }
  }
  const tcbLevels = levels(settings).map(({ cpuSvn, pceSvn, tail }) => ({
    tcb: { sgxtcbcomponents: named(cpuSvn, SGX_COMPONENTS), pcesvn: pceSvn },
    ...tail,
  }))
  return { id: 'SGX', ...tcbInfoHead(settings, 3, window), tcbLevels }
}

function tdxTcbInfo(settings: IntelSettings, window: Window): Record<string, unknown> {
  const module = {
    mrsigner: TDX_MODULE.mrSigner,
    attributes: '0000000000000000',
    attributesMask: 'FFFFFFFFFFFFFFFF',
  }
  return {
    id: 'TDX',
    ...tcbInfoHead(settings, 3, window),
    tdxModule: module,
    tdxModuleIdentities: [
      {
        id: TDX_MODULE.id,
        ...module,
        tcbLevels: [
          { tcb: { isvsvn: TDX_MODULE.isvSvn }, ...levelTail(settings.statuses.module) },
          { tcb: { isvsvn: TDX_MODULE.previousIsvSvn }, ...levelTail(PREVIOUS_LEVEL, PREVIOUS_TCB_DATE) },
        ],
      },
    ],
    tcbLevels: levels(settings).map(({ cpuSvn, pceSvn, tdxSvn, tail }) => ({
      tcb: {
        sgxtcbcomponents: named(cpuSvn, SGX_COMPONENTS),
        pcesvn: pceSvn,
        tdxtcbcomponents: named(tdxSvn, TDX_COMPONENTS),
      },
      ...tail,
    })),
  }
}

/** Category and type, as Intel names the first components; the others have neither. */
const SGX_COMPONENTS: readonly object[] = [
  { category: 'BIOS', type: 'Early Microcode Update' },
  { category: 'OS/VMM', type: 'SGX Late Microcode Update' },
  { category: 'OS/VMM', type: 'TXT SINIT' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  {},
  { category: 'OS/VMM', type: 'SEAMLDR ACM' },
]
const TDX_COMPONENTS: readonly object[] = [
  { category: 'OS/VMM', type: 'TDX Module' },
  { category: 'OS/VMM', type: 'TDX Module' },
  { category: 'OS/VMM', type: 'TDX Late Microcode Update' },
]

function named(svns: readonly number[], names: readonly object[]): readonly object[] {
  return svns.map((svn, index) => ({ svn, ...names[index] }))
}

function identity(enclave: QuotingEnclave, status: LevelStatus, window: Window): Record<string, unknown> {
  return {
    id: enclave.id,
    version: 2,
    ...window,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: enclave.mrSigner.toUpperCase(),
    isvprodid: enclave.isvProdId,
    tcbLevels: [
      { tcb: { isvsvn: enclave.isvSvn }, ...levelTail(status) },
      { tcb: { isvsvn: enclave.previousIsvSvn }, ...levelTail(PREVIOUS_LEVEL, PREVIOUS_TCB_DATE) },
    ],
  }
}

function levelTail({ status, advisoryIds }: LevelStatus, tcbDate = CURRENT_TCB_DATE) {
  return { tcbDate, tcbStatus: status, ...(advisoryIds.length === 0 ? {} : { advisoryIDs: advisoryIds }) }
}

/** Version 2 names its components one by one. */
function numberedComponents(cpuSvn: readonly number[]): Record<string, number> {
  return Object.fromEntries(
    cpuSvn.map((svn, index) => [`sgxtcbcomp${String(index + 1).padStart(2, '0')}svn`, svn]),
  )
}

function signDocument(
  wrapper: 'tcbInfo' | 'enclaveIdentity',
  body: Record<string, unknown>,
  key: SigningKey,
  fault: DocumentFault | undefined,
): Uint8Array {
  fault?.edit?.(body)
  const text = JSON.stringify(body)
  const signature = Buffer.from(signRaw(key, Buffer.from(text, 'utf8')))
  if (fault?.damage === 'signature') signature.writeUInt8(signature.readUInt8(0) ^ 1, 0)
  return Buffer.from(`{"${wrapper}":${text},"signature":"${signature.toString('hex')}"}`, 'utf8')
}

/** RFC 3339 in whole seconds, as Intel writes it. */
function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
