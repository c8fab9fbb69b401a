// The demands on callers of an enclave: none, or to attest and to meet a policy.

import type { PeerDemands } from '@casemate/channel'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { APPRAISAL_FLAGS } from '../verify/appraisal-flags.ts'
import { openContext } from '../verify/verify-files.ts'

/** @throws {CliError} flag-value-unwanted, argument-missing, file-not-readable, file-malformed */
export async function demandsOnCallers(call: Call): Promise<PeerDemands | 'anyone'> {
  const policy = call.option('policy')
  if (policy === null) {
    const first = Object.keys(APPRAISAL_FLAGS).find(name => call.given(name))
    if (first === undefined) return 'anyone'
    throw new CliError(
      'flag-value-unwanted',
      `--${first} is about callers, and nothing is demanded of them`,
      {
        hint: 'with --policy FILE, which says what they have to be',
      },
    )
  }
  if ((policy === 'strict' || policy === 'standard') && !call.given('references')) {
    throw new CliError('argument-missing', `--policy ${policy} compares no code without --references`, {
      hint: 'any machine of the kind could call: name its code there, or in a policy file',
    })
  }
  const context = await openContext(call)
  return {
    policy: context.policy,
    references: context.references,
    endorsements: context.endorsementsFor,
    anchors: context.anchors,
    now: call.terminal.now,
  }
}
