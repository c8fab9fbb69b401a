// casemate enclave run: an image on this machine; called once, or answering others.

import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { DEFAULT_DATA_DIRECTORY } from '../broker/data-directory.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { INPUT_FLAGS } from '../enclaves/input.ts'
import { kindsToChoose, QUOTED_KINDS } from '../kinds/kinds.ts'
import { APPRAISAL_FLAGS } from '../verify/appraisal-flags.ts'
import { leaseFlags } from '../workload/lease-flags.ts'

export const RUN_COMMAND: Command = {
  words: ['enclave', 'run'],
  summary: 'run an image on this machine: call it once, or let others call it',
  usage: 'IMAGE',
  minimum: 1,
  maximum: 1,
  flags: {
    call: { value: 'NAME', summary: 'the function to call (default: the only one)' },
    ...INPUT_FLAGS,
    listen: {
      value: 'HOST:PORT',
      summary: 'answer calls over attested channels, until Ctrl-C or the lease’s end',
    },
    server: { ...SERVER_FLAGS.server, summary: 'attest to this broker for the secrets that it declares' },
    'ca-file': SERVER_FLAGS['ca-file'],
    'secret-file': {
      value: 'PATH=FILE',
      summary: 'a secret that it declares, from a file, for a try',
      multiple: true,
    },
    signer: { value: 'HEX', summary: 'refuse an image that is not of this signer' },
    measurement: { value: 'HEX', summary: 'refuse any other measurement' },
    debug: { summary: 'run a debug image; without this, only production images run' },
    ...leaseFlags('serving', 'for calls under way when it is to end'),
    'on-change': {
      value: 'WHAT',
      takes: ['keep', 'restart'],
      summary: 'when a secret has changed: keep (default) what it has, or restart the enclave',
    },
    ...APPRAISAL_FLAGS,
    policy: {
      value: 'FILE',
      summary: 'what callers have to be: an appraisal policy (default: anyone may call)',
    },
    ...ATTESTER_FLAGS,
    kind: {
      value: 'KIND',
      takes: QUOTED_KINDS,
      summary: `of the simulated platform: ${kindsToChoose(QUOTED_KINDS)}`,
    },
    'extend-register': {
      summary: 'TDX: show the enclave in RTMR3 as well, for good; reference values then need rtmr3: any',
    },
  },
  notes: [
    'The answer goes to stdout as it is, and what the code logs to stderr. Secrets stay in memory.',
    `What it seals opens here alone: the root is in ${DEFAULT_DATA_DIRECTORY}, and no hardware protects it.`,
    'With --listen anyone may call, unless --policy says what callers have to be; they show it by enclave call --attest.',
    'What a broker released is on a lease, that of the attestation result: it is renewed by a new attestation, with',
    'which the broker decides anew. Without one no more calls are taken, and the exit code is 124.',
  ],
  examples: [
    'casemate enclave run greet.enclave --input Zoë \\\n    --secret-file default/greet/phrase=phrase.txt',
    'casemate enclave run greet.enclave --server http://127.0.0.1:8080 \\\n    --listen 127.0.0.1:7000',
  ],
  run: async call => (await import('../enclaves/host.ts')).runEnclave(call),
}
