// Policy documents: what is accepted, how it is completed, and that everything wrong is said at once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppraisalConfigError, type ConfigProblem, PRESETS, parsePolicy } from '../src/index.ts'
import { hex } from './claims.ts'
import { PINNED_DOCUMENT } from './policies.ts'

function problemsOf(document: unknown): readonly ConfigProblem[] {
  try {
    parsePolicy(document)
  } catch (error) {
    assert.ok(error instanceof AppraisalConfigError, String(error))
    assert.equal(error.code, 'policy-invalid')
    assert.ok(error.problems.every(({ expected, got, hint }) => expected && got && hint))
    return error.problems
  }
  return assert.fail('the document was accepted')
}

const places = (document: unknown) => problemsOf(document).map(({ path }) => path)
const mine = (changes: object) => ({ extends: 'strict', name: 'mine', version: 1, ...changes })

test('a document without a preset states every field, and round-trips as JSON', () => {
  const policy = parsePolicy(PINNED_DOCUMENT)
  assert.deepEqual(parsePolicy(JSON.parse(JSON.stringify(policy))), policy)
  assert.deepEqual(parsePolicy(JSON.stringify(policy)), policy)
  for (const preset of Object.values(PRESETS)) assert.deepEqual(parsePolicy({ ...preset }), preset)
})

test('a field that is nowhere is refused by its path', () => {
  const { tcb: _, ...rest } = PINNED_DOCUMENT
  assert.deepEqual(places(rest), ['tcb'])
  const { minDate: __, ...tcb } = PINNED_DOCUMENT.tcb
  assert.deepEqual(places({ ...PINNED_DOCUMENT, tcb }), ['tcb.minDate'])
  assert.match(problemsOf(rest)[0]?.hint ?? '', /extends: strict/)
})

test('a preset gives what the document does not state, field by field', () => {
  const policy = parsePolicy(mine({ tcb: { statuses: ['UpToDate', 'OutOfDate'] }, snp: { vmpl: 1 } }))
  assert.deepEqual(policy.tcb.statuses, ['UpToDate', 'OutOfDate'])
  assert.equal(policy.tcb.advisories, 'none')
  assert.deepEqual(policy.snp.vmpl, [1])
  assert.deepEqual(policy.snp.guestPolicy, PRESETS.strict.snp.guestPolicy)
  assert.deepEqual(parsePolicy({ ...mine({}), extends: 'standard' }).tcb, PRESETS.standard.tcb)
  assert.equal(Object.hasOwn(policy, 'extends'), false)
})

test('name and version are never taken from a preset', () => {
  assert.deepEqual(places({ extends: 'strict' }), ['name', 'version'])
})

test('an unknown preset is refused', () => {
  for (const preset of ['lax', '', null, 1, ['strict']]) {
    assert.deepEqual(places({ ...mine({}), extends: preset }), ['extends'])
  }
})

test('an unknown field is refused with the name that was meant', () => {
  const problems = problemsOf(mine({ simulate: 'any', tdx: { mrtd: 'any' }, nonsense: 1, the: 1 }))
  assert.deepEqual(
    problems.map(({ path, hint }) => [path, hint]),
    [
      ['simulate', 'did you mean simulated?'],
      ['nonsense', 'remove it'],
      // What is in every meaning says nothing.
      ['the', 'remove it'],
      ['tdx.mrtd', 'did you mean mrTd?'],
    ],
  )
})

test('an empty list, null and a misspelt any are no way to check nothing', () => {
  for (const value of [[], null]) {
    const [problem] = problemsOf(mine({ tdx: { mrTd: value } }))
    assert.equal(problem?.path, 'tdx.mrTd')
    assert.match(problem?.hint ?? '', /'any'/)
  }
  assert.deepEqual(places(mine({ tdx: { mrTd: 'ANY' } })), ['tdx.mrTd'])
  assert.deepEqual(places(mine({ kinds: 'any' })), ['kinds'])
  assert.deepEqual(places(mine({ kinds: [] })), ['kinds'])
})

test('hex of the wrong size, with 0x or as a number is refused with a hint', () => {
  const hints = (value: unknown) => problemsOf(mine({ tdx: { mrTd: value } })).map(({ hint }) => hint)
  assert.deepEqual(hints(hex('ab', 47)), ['it has 47 bytes'])
  assert.deepEqual(hints(`0x${hex('ab', 48)}`), ['write hex without 0x'])
  assert.deepEqual(hints(1234), ['put quotes around hex'])
  const [second] = problemsOf(mine({ tdx: { mrTd: [hex('ab', 48), 'zz'] } }))
  assert.equal(second?.path, 'tdx.mrTd[1]')
})

test('hex is compared in lower case, however it is written', () => {
  const policy = parsePolicy(mine({ tdx: { mrTd: hex('AB', 48) }, initData: hex('CD', 48) }))
  assert.deepEqual(policy.tdx.mrTd, [hex('ab', 48)])
  assert.deepEqual(policy.initData, [hex('cd', 48)])
})

test('numbers outside of their field are refused', () => {
  assert.deepEqual(places(mine({ sgx: { minIsvSvn: 65_536 } })), ['sgx.minIsvSvn'])
  assert.deepEqual(places(mine({ sgx: { minIsvSvn: 1.5 } })), ['sgx.minIsvSvn'])
  assert.deepEqual(places(mine({ snp: { vmpl: [0, 4] } })), ['snp.vmpl[1]'])
  assert.deepEqual(places(mine({ version: 0 })), ['version'])
})

test('bits that the mask leaves out, and dates that do not exist, are refused', () => {
  const xfam = { value: 'e700000000000000', mask: '0300000000000000' }
  assert.deepEqual(places(mine({ tdx: { xfam } })), ['tdx.xfam'])
  assert.deepEqual(places(mine({ tdx: { xfam: { ...xfam, more: 1 } } })), ['tdx.xfam'])
  assert.deepEqual(places(mine({ tcb: { minDate: '2025-13-01' } })), ['tcb.minDate'])
  assert.deepEqual(places(mine({ tcb: { minDate: '2025-02-30' } })), ['tcb.minDate'])
  assert.deepEqual(places(mine({ tcb: { minDate: 'yesterday' } })), ['tcb.minDate'])
})

test('a minimum TCB states every component of its family', () => {
  const stated = (minimumTcb: object) => places(mine({ snp: { minimumTcb } }))
  assert.deepEqual(stated({ Milan: { bootloader: 4, tee: 0, snp: 24 } }), ['snp.minimumTcb.Milan.microcode'])
  assert.deepEqual(stated({ Milan: { fmc: 1, bootloader: 4, tee: 0, snp: 24, microcode: 1 } }), [
    'snp.minimumTcb.Milan.fmc',
  ])
  assert.deepEqual(stated({ Turin: { bootloader: 4, tee: 0, snp: 24, microcode: 1 } }), [
    'snp.minimumTcb.Turin.fmc',
  ])
  assert.deepEqual(stated({ Turin: 'none' }), ['snp.minimumTcb.Turin'])
  assert.deepEqual(stated({ Rome: 'any' }), ['snp.minimumTcb.Rome'])
})

test('every problem of a document is reported at once, and summed up in the message', () => {
  const document = {
    extends: 'strict',
    version: 'x',
    kinds: ['sev'],
    debug: 'no',
    sgx: 5,
    tcb: { statuses: 'Fine' },
  }
  assert.deepEqual(places(document), ['name', 'version', 'kinds[0]', 'debug', 'tcb.statuses', 'sgx'])
  assert.throws(
    () => parsePolicy(document),
    /^AppraisalConfigError: appraisal policy: name: got nothing, want/,
  )
})

test('a document that is no object is refused', () => {
  for (const document of ['', 'strict', '[]', [], null, 5, undefined])
    assert.deepEqual(places(document), [''])
})

test('a policy is frozen throughout', () => {
  const policy = parsePolicy(mine({}))
  assert.throws(() => {
    Object.assign(policy, { debug: 'any' })
  }, TypeError)
  assert.throws(() => (policy.kinds as string[]).push('sample'), TypeError)
  assert.throws(() => Object.assign(policy.snp.guestPolicy, { migrateMaAllowed: 'any' }), TypeError)
})

test('a chip id of Turin is the same machine with and without the zeros that a report pads it with', () => {
  const bare = '80190697b23d7a68'
  const padded = bare.padEnd(128, '0')
  for (const hardwareIds of [[bare], [padded], [bare, padded]]) {
    const document = { extends: 'strict', name: 'mine', version: 1, hardwareIds }
    assert.deepEqual(parsePolicy(JSON.stringify(document)).hardwareIds, [padded])
  }
})
