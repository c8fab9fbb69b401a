// The merging of TCB statuses, against a table written from Intel's QuoteVerificationLibrary (TcbLevelCheck.cpp,
// TdxModuleCheck.cpp) and not from the code under test.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TcbStatus } from '../../src/claims.ts'
import { mergeTcbStatus } from '../../src/intel/tcb-status.ts'

const TABLE: readonly (readonly [TcbStatus, TcbStatus])[] = [
  ['UpToDate', 'OutOfDate'],
  ['SWHardeningNeeded', 'OutOfDate'],
  ['ConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
  ['ConfigurationAndSWHardeningNeeded', 'OutOfDateConfigurationNeeded'],
  ['TDRelaunchAdvised', 'TDRelaunchAdvised'],
  ['TDRelaunchAdvisedConfigurationNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
  ['OutOfDate', 'OutOfDate'],
  ['OutOfDateConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
  ['Revoked', 'Revoked'],
]

for (const [platform, withOld] of TABLE) {
  test(`${platform} under an out-of-date enclave or module is ${withOld}`, () => {
    assert.equal(mergeTcbStatus(platform, 'UpToDate'), platform)
    assert.equal(mergeTcbStatus(platform, null), platform)
    assert.equal(mergeTcbStatus(platform, 'OutOfDate'), withOld)
    // Intel's library takes whatever is neither up to date nor revoked for out of date.
    assert.equal(mergeTcbStatus(platform, 'ConfigurationNeeded'), withOld)
    assert.equal(mergeTcbStatus(platform, 'OutOfDateConfigurationNeeded'), withOld)
    assert.equal(mergeTcbStatus(platform, 'Revoked'), 'Revoked')
  })
}
