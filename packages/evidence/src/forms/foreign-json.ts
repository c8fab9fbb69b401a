// JSON that people take for evidence that can be verified here, told by its members: each is called by its name, with a
// hint that is about it.

import { type Members, membersOf } from '../members.ts'
import { type Form, unsupported } from './layer.ts'

type Test = (members: Members) => boolean

interface Foreign {
  readonly name: string
  readonly hint: string
  readonly is: Test
}

const has =
  (...names: readonly string[]): Test =>
  members =>
    names.every(name => name in members)
const either =
  (...tests: readonly Test[]): Test =>
  members =>
    tests.some(test => test(members))
const within =
  (name: string, test: Test): Test =>
  members =>
    test(membersOf(members[name]) ?? {})

const isTpmQuote = has('message', 'pcrs', 'signature')

const FOREIGN: readonly Foreign[] = [
  {
    name: 'vTPM evidence of Azure',
    hint: 'it cannot be verified here; the quote or report in it can, on its own, and says nothing about the TPM',
    is: either(
      has('hcl_report'),
      has('hclReport'),
      has('hcl_report_base64'),
      // As guests of Confidential Containers had it first.
      members => 'report' in members && within('quote', isTpmQuote)(members),
    ),
  },
  {
    name: 'evidence of a TPM',
    hint: 'TPM quotes cannot be verified here; a quote or report of the TEE itself can',
    is: either(has('tpm_quote'), isTpmQuote),
  },
  {
    name: 'evidence of NVIDIA GPUs',
    hint: 'GPUs cannot be verified here; the quote or report of the machine can',
    is: either(
      has('arch', 'certificate', 'evidence'),
      has('gpus', 'nvswitches'),
      has('arch', 'evidence_list'),
    ),
  },
  {
    name: 'evidence of Hygon CSV',
    hint: 'there is no verifier for Hygon CSV here',
    is: within('attestation_report', has('data')),
  },
  {
    name: 'an Arm CCA token that was decoded',
    hint: 'there is no verifier for Arm CCA here',
    is: has('cca-platform-token', 'cca-realm-delegated-token'),
  },
  {
    name: 'a set of keys (JWKS)',
    hint: 'keys check tokens; give the quote or report itself',
    is: members => Array.isArray(members['keys']) && !('evidence' in members) && !('quote' in members),
  },
]

export const FOREIGN_JSON: Form<unknown> = {
  name: 'something else',
  open: value => {
    const members = membersOf(value)
    const found = members && FOREIGN.find(({ is }) => is(members))
    if (found) throw unsupported(found.name, found.hint)
    return null
  },
}
