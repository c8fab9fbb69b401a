// casemate run: a command with secrets, under a lease.

import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { leaseFlags } from '../workload/lease-flags.ts'

export const RUN_COMMAND: Command = {
  words: ['run'],
  summary: 'attest, and run a command with secrets, for as long as the broker allows it',
  usage: '[--] COMMAND [ARGUMENT...]',
  minimum: 1,
  maximum: Infinity,
  endsWithCommand: true,
  flags: {
    secret: {
      value: 'PATH=NAME',
      summary: 'a secret (repository/type/tag) as the variable NAME',
      multiple: true,
    },
    'secret-file': {
      value: 'PATH=NAME',
      summary: 'a secret as a file in memory, whose name is the variable NAME',
      multiple: true,
    },
    server: SERVER_FLAGS.server,
    'ca-file': SERVER_FLAGS['ca-file'],
    ...leaseFlags('the command', 'between SIGTERM and SIGKILL'),
    'on-change': {
      value: 'WHAT',
      takes: ['keep', 'restart', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'],
      summary: 'when a secret has changed: keep (default), restart, SIGHUP, SIGUSR1 or SIGUSR2',
    },
    'memory-directory': {
      value: 'DIR',
      summary: 'tmpfs for secret files (default $XDG_RUNTIME_DIR, /dev/shm or /run)',
    },
    'guest-api': {
      value: 'PORT',
      summary: 'serve /cdh/resource to the command at $CASEMATE_GUEST_API; 0: any port',
    },
    allow: {
      value: 'PATTERN',
      summary: 'secrets to be had there beside those named above, e.g. default/db/*',
      multiple: true,
    },
    ...ATTESTER_FLAGS,
  },
  notes: [
    'Nothing is started unless every secret was released. The lease is that of the attestation result; it is',
    'renewed by a new attestation, with which the broker decides anew. Secrets are in memory only.',
    'The exit code is that of the command; 124 where it was stopped because the lease ended or was withdrawn;',
    '126 and 127 where it cannot be run or found. CASEMATE_* variables are not passed on.',
  ],
  examples: [
    'casemate run --secret default/db/password=PGPASSWORD -- psql -h db.internal',
    'casemate run --secret-file default/tls/key=TLS_KEY --on-change SIGHUP -- \\\n    sh -c \'exec server --key "$TLS_KEY"\'',
  ],
  run: async call => (await import('../workload/run.ts')).run(call),
}
