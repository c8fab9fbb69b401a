// The flags of every command that appraises evidence: by which policy, against what, and with which endorsements.

import type { Flag } from '../command.ts'

export const APPRAISAL_FLAGS = {
  endorsements: {
    value: 'PATH',
    takes: 'files',
    summary: 'collateral: files or directories, in any form, recognised by content',
    multiple: true,
  },
  policy: { value: 'FILE', summary: 'appraisal policy, or the preset strict or standard (default strict)' },
  references: { value: 'FILE', summary: 'reference values: which code is wanted', multiple: true },
  online: { summary: 'fetch collateral from Intel and AMD' },
  'tcb-update': {
    value: 'early|standard',
    summary: 'fetch Intel’s newest TCB info, or the one that is enforced (default standard)',
  },
  'tcb-evaluation-data-number': {
    value: 'N',
    summary: 'fetch Intel’s TCB info and identities of this number instead',
  },
  'offline-cache': { value: 'DIR', summary: 'take collateral from what --online has kept here' },
  trust: { value: 'FILE', summary: 'also trust a simulator: its public-trust.json', multiple: true },
} as const satisfies Record<string, Flag>
