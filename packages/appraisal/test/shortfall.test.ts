// The reason in the hint of a TCB status that is not accepted: which versions are short of the nearest level that would do.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TcbShortfall } from '@casemate/evidence'
import { appraise } from '../src/index.ts'
import { NOW, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, NO_REFERENCES, open } from './policies.ts'

const short = (part: TcbShortfall['part'], status: TcbShortfall['status'], wanted: number): TcbShortfall => ({
  part,
  index: part === 'sgx' ? 1 : null,
  name: part === 'sgx' ? 'BIOS, Early Microcode Update' : null,
  got: 2,
  wanted,
  status,
  date: '2024-11-13T00:00:00Z',
})

const SHORT = [
  short('sgx', 'SWHardeningNeeded', 3),
  short('sgx', 'UpToDate', 5),
  short('pce', 'UpToDate', 13),
  short('tdx-module', 'UpToDate', 6),
]

function hintOf(shortfalls: unknown, statuses: readonly string[]): string {
  const claims = withClaim(withClaim(TDX, 'tcbStatus', 'OutOfDate'), 'platform.tcbShortfalls', shortfalls)
  const { violations } = appraise({
    claims,
    references: NO_REFERENCES,
    policy: open({ tcb: { statuses } }),
    binding: BINDING,
    now: NOW,
  })
  const [violation, second] = violations
  assert.equal(second, undefined)
  assert.equal(violation?.path, 'tcb.statuses')
  assert.equal(violation.got, 'OutOfDate')
  return violation.hint
}

const REMEDY = /; update the platform, or accept the status by name once its advisories have been read$/

test('versions are named that are short of the nearest level of an accepted status', () => {
  const hint = hintOf(SHORT, ['UpToDate'])
  assert.match(
    hint,
    /^short of UpToDate \(2024-11-13\): SGX component 1 \(BIOS, Early Microcode Update\) is 2, want 5; PCESVN is 2, want 13; TDX module ISVSVN is 2, want 6;/,
  )
  assert.doesNotMatch(hint, /SWHardeningNeeded/)
  assert.match(hint, REMEDY)
})

test('where several accepted statuses could be reached, the nearest is named', () => {
  assert.match(
    hintOf(SHORT, ['UpToDate', 'SWHardeningNeeded']),
    /^short of SWHardeningNeeded \(2024-11-13\): SGX component 1 .* is 2, want 3\. short of UpToDate \(2024-11-13\): TDX module ISVSVN/,
  )
})

test('where no level has an accepted status, the nearest better one is named', () => {
  assert.match(hintOf(SHORT, ['TDRelaunchAdvised']), /^short of SWHardeningNeeded/)
})

test('where nothing is short it is said, and claims that say nothing of it say nothing here', () => {
  assert.match(hintOf([], ['UpToDate']), /^no security version is short of a better status/)
  for (const other of [null, 'x', [7], [{ part: 'sgx' }]]) {
    assert.match(hintOf(other, ['UpToDate']), /^update the platform/)
  }
})

test('a minimum of AMD’s components names the component, what it is and what is wanted', () => {
  const claims = withClaim(SNP, 'snp.reportedTcb.microcode', 218)
  const minimumTcb = { Milan: { bootloader: 4, tee: 0, snp: 24, microcode: 219 }, Genoa: 'any', Turin: 'any' }
  const { violations } = appraise({
    claims,
    references: NO_REFERENCES,
    policy: open({ snp: { minimumTcb } }),
    binding: BINDING,
    now: NOW,
  })
  assert.deepEqual(
    violations.map(({ path, expected, got }) => [path, expected, got]),
    [['snp.minimumTcb.Milan.microcode', 'reportedTcb.microcode at least 219', '218']],
  )
  assert.equal(SGX.platform.tcbShortfalls.length, 0)
})
