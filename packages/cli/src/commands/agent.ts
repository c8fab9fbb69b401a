// casemate agent: attests, and serves the guest API of Confidential Containers on this machine.

import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'

export const AGENT_COMMAND: Command = {
  words: ['agent'],
  summary: 'attest, and serve the guest API of Confidential Containers on 127.0.0.1:8006',
  usage: '',
  minimum: 0,
  maximum: 0,
  flags: {
    server: SERVER_FLAGS.server,
    'ca-file': SERVER_FLAGS['ca-file'],
    port: { value: 'PORT', summary: 'of the guest API (default 8006; 0: any)' },
    features: {
      value: 'WHAT',
      takes: ['all', 'resource', 'attestation'],
      summary: 'resource: secrets; attestation: tokens and evidence; all (default): both',
    },
    clients: {
      value: 'WHOSE',
      takes: ['own', 'any'],
      summary: 'own (default): processes of this user; any: of every user of this machine',
    },
    allow: {
      value: 'PATTERN',
      summary: 'secrets that may be asked for, e.g. default/db/* (default: what the broker releases)',
      multiple: true,
    },
    ...ATTESTER_FLAGS,
  },
  notes: [
    'Serves /cdh/resource/REPOSITORY/TYPE/TAG, /aa/token, /aa/evidence, /aa/additional-evidence, /aa/aael and /info as',
    'api-server-rest does. It listens on this machine alone.',
    'Whoever may have evidence for data of his own choice can attest by himself, so --allow needs --features resource.',
    'In a pod whose containers run as other users: --clients any.',
  ],
  examples: ['casemate agent', 'curl http://127.0.0.1:8006/cdh/resource/default/db/password'],
  run: async call => (await import('../workload/guest-api.ts')).serve(call),
}
