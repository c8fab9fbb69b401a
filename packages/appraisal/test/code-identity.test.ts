// What has to be compared before code counts as known, by reference values, the policy, or both together.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '@casemate/evidence'
import { appraise, leftOpen, parseReferenceValues, type ReferenceValues } from '../src/index.ts'
import { hex, NOW, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, open } from './policies.ts'

const known = () => open({ workloads: 'known' })

function judge(claims: Claims, policy = known(), references: ReferenceValues = NO_REFERENCES) {
  return appraise({ claims, references, policy, binding: BINDING, now: NOW })
}

const { mrTd, rtmr0, rtmr1, rtmr2, rtmr3 } = TDX.tdx
const OPEN_TD = { kind: 'tdx', mrTd: 'any', rtmr0: 'any', rtmr1: 'any', rtmr2: 'any', rtmr3: 'any' }
const OPEN_GUEST = {
  kind: 'snp',
  measurement: 'any',
  idKeyDigest: 'any',
  authorKeyDigest: 'any',
  minGuestSvn: 'any',
}
const OPEN_ENCLAVE = { kind: 'sgx', mrEnclave: 'any', mrSigner: 'any', isvProdId: 'any', minIsvSvn: 'any' }
const values = (...workloads: readonly object[]): ReferenceValues => parseReferenceValues({ workloads })

test('registers of a TD without its firmware are no known workload, whatever they are', () => {
  const registers = values({ ...OPEN_TD, name: 'kernel', rtmr0, rtmr1, rtmr2, rtmr3 })
  const result = judge(TDX, known(), registers)
  assert.equal(result.accepted, false)
  assert.deepEqual([result.workload, result.codeKnownBy, result.closestReference], [null, 'nothing', null])
  assert.equal(result.trustVector.executables, 33)
  const [violation] = result.violations
  assert.equal(violation?.path, 'workloads')
  assert.equal(violation?.got, 'kernel, which leaves open mrTd')
  assert.match(violation?.hint ?? '', /registers are the word of the firmware[^]*state mrTd/)
})

test('firmware without what it loads is no known workload', () => {
  for (const [stated, left] of [
    [{ mrTd }, 'rtmr1 and rtmr2'],
    [{ mrTd, rtmr0, rtmr1, rtmr3 }, 'rtmr2'],
    [{ mrTd, rtmr0, rtmr2, rtmr3 }, 'rtmr1'],
  ] as const) {
    const result = judge(TDX, known(), values({ ...OPEN_TD, name: 'firmware', ...stated }))
    assert.equal(result.accepted, false)
    assert.equal(result.violations[0]?.got, `firmware, which leaves open ${left}`)
    assert.match(result.violations[0]?.hint ?? '', /loads any kernel; state rtmr1 and rtmr2/)
  }
})

test('firmware and what it loads are a known workload, also where nothing was extended', () => {
  const whole = values({ ...OPEN_TD, name: 'whole', mrTd, rtmr1, rtmr2 })
  const result = judge(TDX, known(), whole)
  assert.deepEqual([result.accepted, result.workload, result.codeKnownBy], [true, 'whole', 'measurement'])
  const bare = withClaim(withClaim(TDX, 'tdx.rtmr1', hex('00', 48)), 'tdx.rtmr2', hex('00', 48))
  const zeros = values({ ...OPEN_TD, name: 'bare', mrTd, rtmr1: hex('00', 48), rtmr2: hex('00', 48) })
  assert.deepEqual(judge(bare, known(), zeros).workload, 'bare')
})

test('reference values and policy say together which code a TD runs', () => {
  const registers = values({ ...OPEN_TD, name: 'kernel', rtmr1, rtmr2 })
  const policy = open({ workloads: 'known', tdx: { mrTd } })
  const result = judge(TDX, policy, registers)
  assert.deepEqual([result.accepted, result.workload, result.codeKnownBy], [true, 'kernel', 'measurement'])
  const other = judge(withClaim(TDX, 'tdx.mrTd', hex('99', 48)), policy, registers)
  assert.deepEqual(
    other.violations.map(({ path }) => path),
    ['tdx.mrTd'],
  )
})

test('a workload that says too little does not hide one that says enough', () => {
  const both = values(
    { ...OPEN_TD, name: 'kernel', rtmr1, rtmr2 },
    { ...OPEN_TD, name: 'whole', mrTd, rtmr1, rtmr2 },
  )
  assert.equal(judge(TDX, known(), both).workload, 'whole')
  const named = open({ workloads: ['kernel'] })
  assert.equal(judge(TDX, named, both).violations[0]?.got, 'kernel, which leaves open mrTd')
})

test('firmware that a policy names without what it loads is accepted by name, as a warning', () => {
  const result = judge(TDX, open({ tdx: { mrTd } }))
  assert.deepEqual([result.accepted, result.codeKnownBy], [true, 'firmware'])
  assert.deepEqual([result.status, result.trustVector.executables], ['warning', 33])
  assert.equal(judge(TDX, open()).codeKnownBy, 'nothing')
})

test('a signer is known code of that signer, and the result says that it is by the signer', () => {
  const enclave = judge(SGX, known(), values({ ...OPEN_ENCLAVE, name: 'ours', mrSigner: SGX.sgx.mrSigner }))
  assert.deepEqual([enclave.workload, enclave.codeKnownBy], ['ours', 'signer'])
  const { measurement, idKeyDigest, authorKeyDigest } = SNP.snp
  for (const [stated, by] of [
    [{ idKeyDigest }, 'signer'],
    [{ authorKeyDigest }, 'signer'],
    [{ measurement }, 'measurement'],
    [{ measurement, idKeyDigest }, 'measurement'],
  ] as const) {
    const result = judge(SNP, known(), values({ ...OPEN_GUEST, name: 'guest', ...stated }))
    assert.deepEqual([result.workload, result.codeKnownBy], ['guest', by], Object.keys(stated).join())
  }
})

test('zeros are no key: a guest that nobody signed is not known by having no signer', () => {
  const none = hex('00', 48)
  const unsigned = withClaim(withClaim(SNP, 'snp.idKeyDigest', none), 'snp.authorKeyDigest', none)
  for (const stated of [{ idKeyDigest: none }, { authorKeyDigest: [none, hex('35', 48)] }]) {
    const result = judge(unsigned, known(), values({ ...OPEN_GUEST, name: 'unsigned', ...stated }))
    assert.deepEqual([result.accepted, result.codeKnownBy], [false, 'nothing'])
    assert.equal(result.violations[0]?.got, 'unsigned, which leaves open measurement')
    assert.match(result.violations[0]?.hint ?? '', /zeros say that no key signed it/)
  }
  const measured = { ...OPEN_GUEST, name: 'measured', measurement: SNP.snp.measurement, idKeyDigest: none }
  assert.equal(judge(unsigned, known(), values(measured)).workload, 'measured')
  assert.equal(judge(unsigned, open({ snp: { idKeyDigest: none } })).codeKnownBy, 'nothing')
})

test('what a reference value leaves open by itself is told before it has to decide', () => {
  const told = (workload: object) => leftOpen(values({ name: 'w', ...workload }).workloads[0]!)?.open ?? null
  assert.equal(told({ ...OPEN_TD, rtmr1, rtmr2 }), 'mrTd')
  assert.equal(told({ ...OPEN_TD, mrTd }), 'rtmr1 and rtmr2')
  assert.equal(told({ ...OPEN_TD, mrTd, rtmr1, rtmr2 }), null)
  assert.equal(told({ ...OPEN_GUEST, idKeyDigest: hex('00', 48) }), 'measurement')
  assert.equal(told({ ...OPEN_GUEST, idKeyDigest: hex('32', 48) }), null)
  assert.equal(told({ ...OPEN_ENCLAVE, mrSigner: hex('22', 32) }), null)
})
