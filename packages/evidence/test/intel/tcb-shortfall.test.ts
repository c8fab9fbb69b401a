// Which security version is short of what: for every part that Intel judges, against levels that the simulator publishes.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  createIntelPlatform,
  type IntelPlatform,
  type IntelPlatformOptions,
  PREVIOUS_CPU_SVN,
  type SgxQuoteRequest,
  type TdxQuoteRequest,
} from '@casemate/simulator'
import { parse, Refusal, readEndorsements, verify } from '../../src/index.ts'
import type { TcbShortfall } from '../../src/intel/claims.ts'
import { describeShortfalls } from '../../src/intel/tcb-shortfall.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const REPORT_DATA = new Uint8Array(64).fill(7)
const NEWEST = { status: 'UpToDate', date: '2024-11-13T00:00:00Z' } as const
const TWO_GENERATIONS = [3, 3, 2, 2, 3, 1, 0, 5, ...Array<number>(8).fill(0)]

interface Given {
  readonly options?: IntelPlatformOptions
  readonly tdx?: Partial<TdxQuoteRequest>
  readonly sgx?: Partial<SgxQuoteRequest>
}

let plain: IntelPlatform

before(async () => {
  plain = await createIntelPlatform({ now: NOW })
})

async function judged({ options, tdx, sgx }: Given) {
  const platform = options ? await createIntelPlatform({ now: NOW, ...options }) : plain
  const quote = sgx
    ? platform.sgxQuote({ reportData: REPORT_DATA, ...sgx })
    : platform.tdxQuote({ reportData: REPORT_DATA, ...tdx })
  const { claims, steps } = await verify(parse(quote), readEndorsements(platform.endorsements), {
    now: NOW,
    anchors: platform.anchors,
    minTcbEvaluationDataNumber: 'any',
  })
  assert.ok(claims.kind === 'tdx' || claims.kind === 'sgx')
  const looked = steps.find(({ name }) => name === 'tcb-status')?.looked ?? ''
  return { status: claims.tcbStatus, shortfalls: claims.platform.tcbShortfalls, looked }
}

const short = (
  part: TcbShortfall['part'],
  index: number | null,
  name: string | null,
  [got, wanted]: readonly [number, number],
): TcbShortfall => ({ part, index, name, got, wanted, ...NEWEST })

const EARLY = 'BIOS, Early Microcode Update'
const OLD_SGX = [
  short('sgx', 1, EARLY, [2, 3]),
  short('sgx', 2, 'OS/VMM, SGX Late Microcode Update', [2, 3]),
  short('sgx', 5, 'BIOS', [3, 4]),
]
const tee = (...svns: number[]): Uint8Array => new Uint8Array([...svns, ...Array(16 - svns.length).fill(0)])

test('nothing is short on a platform that is up to date, and nothing is said', async () => {
  for (const given of [{}, { sgx: {} }]) {
    const { shortfalls, looked } = await judged(given)
    assert.deepEqual(shortfalls, [])
    assert.doesNotMatch(looked, /short/)
  }
})

for (const [what, given, wanted] of [
  ['components of CPUSVN', { sgx: {}, options: { cpuSvn: PREVIOUS_CPU_SVN } }, OLD_SGX],
  ['components of CPUSVN of a TD', { options: { cpuSvn: PREVIOUS_CPU_SVN } }, OLD_SGX],
  ['PCESVN', { sgx: {}, options: { pceSvn: 12 } }, [short('pce', null, null, [12, 13])]],
  [
    'TDX late microcode',
    { tdx: { teeTcbSvn: tee(6, 1, 2) } },
    [short('tdx', 3, 'OS/VMM, TDX Late Microcode Update', [2, 3])],
  ],
  ['the TDX module', { tdx: { teeTcbSvn: tee(4, 1, 3) } }, [short('tdx-module', null, null, [4, 6])]],
  ['the quoting enclave', { sgx: { qeReport: { isvSvn: 6 } } }, [short('qe', null, null, [6, 8])]],
  ['the TD quoting enclave', { tdx: { qeReport: { isvSvn: 3 } } }, [short('qe', null, null, [3, 4])]],
] as const satisfies readonly (readonly [string, Given, readonly TcbShortfall[]])[]) {
  test(`what is short is named with what it has and what the nearest better level wants: ${what}`, async () => {
    const { status, shortfalls, looked } = await judged(given)
    assert.equal(status, 'OutOfDate')
    assert.deepEqual(shortfalls, wanted)
    assert.ok(looked.endsWith(`; ${describeShortfalls(shortfalls)}`), looked)
  })
}

test('the parts are told together, each once', async () => {
  const { shortfalls, looked } = await judged({
    options: { cpuSvn: PREVIOUS_CPU_SVN, pceSvn: 11 },
    tdx: { teeTcbSvn: tee(4, 1, 2), qeReport: { isvSvn: 3 } },
  })
  assert.deepEqual(
    shortfalls.map(({ part }) => part),
    ['sgx', 'sgx', 'sgx', 'pce', 'tdx', 'tdx-module', 'qe'],
  )
  assert.match(
    looked,
    /; short of UpToDate \(2024-11-13\): SGX component 1 \(BIOS, Early Microcode Update\) is 2, want 3; .*PCESVN is 11, want 13; .*TDX module ISVSVN is 4, want 6; QE ISVSVN is 3, want 4$/,
  )
})

test('of several better levels the nearest of each status is told, the nearest first', async () => {
  const middle = { tcbStatus: 'SWHardeningNeeded', tcbDate: '2024-08-14T00:00:00Z' }
  const edit = (document: Record<string, unknown>) => {
    const levels = document['tcbLevels'] as { tcb: { sgxtcbcomponents: { svn: number }[] } }[]
    const [newest] = levels
    assert.ok(newest)
    // Two levels between the newest and the previous one: the lower wants less, and is as good as the upper.
    const between = (svn: number) => ({
      ...structuredClone(newest),
      ...middle,
      tcb: {
        ...newest.tcb,
        sgxtcbcomponents: TWO_GENERATIONS.map((it, at) => ({ svn: at === 4 ? svn : it })),
      },
    })
    levels.splice(1, 0, between(4), between(3))
  }
  const { shortfalls } = await judged({
    sgx: {},
    options: { cpuSvn: PREVIOUS_CPU_SVN, faults: { documents: { sgxTcbInfo: { edit } } } },
  })
  assert.deepEqual(
    shortfalls.map(({ index, wanted, status }) => [index, wanted, status]),
    [
      [1, 3, 'SWHardeningNeeded'],
      [2, 3, 'SWHardeningNeeded'],
      [1, 3, 'UpToDate'],
      [2, 3, 'UpToDate'],
      [5, 4, 'UpToDate'],
    ],
  )
})

test('a newer level that is judged no better wants nothing', async () => {
  const { status, shortfalls } = await judged({ sgx: {}, options: { olderTcbLevels: 2, pceSvn: 10 } })
  assert.equal(status, 'OutOfDate')
  assert.deepEqual(shortfalls, [short('pce', null, null, [10, 13])])
})

test('a newest level that is not up to date leaves nothing to be short of', async () => {
  const platform = { status: 'ConfigurationNeeded', advisoryIds: ['INTEL-SA-00219'] } as const
  const { status, shortfalls } = await judged({ options: { statuses: { platform } } })
  assert.equal(status, 'ConfigurationNeeded')
  assert.deepEqual(shortfalls, [])
})

test('the first two TDX components count for a module of version 0 only', async () => {
  const edit = (document: Record<string, unknown>) => {
    const [newest] = document['tcbLevels'] as { tcb: { tdxtcbcomponents: { svn: number }[] } }[]
    const [first] = newest?.tcb.tdxtcbcomponents ?? []
    assert.ok(first)
    first.svn = 7
  }
  const options = { faults: { documents: { tdxTcbInfo: { edit } } } }
  const old = await judged({ options, tdx: { teeTcbSvn: tee(6, 0, 3) } })
  assert.deepEqual(old.shortfalls, [short('tdx', 1, 'OS/VMM, TDX Module', [6, 7])])
  assert.deepEqual((await judged({ options, tdx: { teeTcbSvn: tee(6, 1, 3) } })).shortfalls, [])
})

test('TCB info without names, as in version 2, leaves the number of the component', async () => {
  const { shortfalls } = await judged({
    sgx: {},
    options: { cpuSvn: PREVIOUS_CPU_SVN, sgxTcbInfoVersion: 2 },
  })
  assert.deepEqual(
    shortfalls.map(({ index, name }) => [index, name]),
    [
      [1, null],
      [2, null],
      [5, null],
    ],
  )
})

test('a platform below every level is told what the lowest wants of it', async () => {
  const refusal = async (given: Given) =>
    judged(given).then(
      () => assert.fail('accepted'),
      (error: unknown) => {
        assert.ok(error instanceof Refusal && error.code === 'tcb-level-unknown', String(error))
        return [error.expected, error.got]
      },
    )
  assert.deepEqual(await refusal({ sgx: {}, options: { pceSvn: 1 } }), ['PCESVN at least 11', 'PCESVN 1'])
  const [, , ...rest] = PREVIOUS_CPU_SVN
  assert.deepEqual(
    await refusal({ options: { cpuSvn: [1, 2, ...rest] }, tdx: { teeTcbSvn: tee(6, 1, 1) } }),
    [
      `SGX component 1 (${EARLY}) at least 2; TDX component 3 (OS/VMM, TDX Late Microcode Update) at least 2`,
      `SGX component 1 (${EARLY}) 1; TDX component 3 (OS/VMM, TDX Late Microcode Update) 1`,
    ],
  )
})

test('what a name holds that a terminal would obey is escaped, and what is no text is none', async () => {
  const edit = (document: Record<string, unknown>) => {
    const [newest] = document['tcbLevels'] as { tcb: { sgxtcbcomponents: object[] } }[]
    const components = newest?.tcb.sgxtcbcomponents ?? []
    Object.assign(components[0] ?? {}, { category: '\u001b[31m', type: 'x'.repeat(500) })
    Object.assign(components[1] ?? {}, { category: 7, type: null })
  }
  const options = { cpuSvn: PREVIOUS_CPU_SVN, faults: { documents: { sgxTcbInfo: { edit } } } }
  const [first, second] = (await judged({ sgx: {}, options })).shortfalls
  assert.match(first?.name ?? '', /^\\u001b\[31m, x{70,80}$/)
  assert.equal(second?.name, null)
})
