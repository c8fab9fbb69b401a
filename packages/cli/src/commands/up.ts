// casemate up: starts the broker, and stays until Ctrl-C. With --tour it shows the main job first.

import type { Command } from '../command.ts'

export const UP_COMMAND: Command = {
  words: ['up'],
  summary: 'start the broker; with --tour, show the main job first',
  usage: '',
  minimum: 0,
  maximum: 0,
  flags: async () => {
    const { CONFIG_FLAG, SETTING_FLAGS } = await import('../serving/broker-settings.ts')
    const { BEGINNING_FLAGS } = await import('../serving/beginning.ts')
    return {
      tour: { summary: 'walk through the main job with a simulated TDX workload (what npm start does)' },
      'new-admin-token': { summary: 'make one more administrator’s token, where the others are lost' },
      ...BEGINNING_FLAGS,
      ...CONFIG_FLAG,
      ...SETTING_FLAGS,
    }
  },
  notes: [
    'Every setting is a flag, a variable (--data-dir is CASEMATE_DATA_DIR) and a key of the file (dataDir).',
    'On first start it makes an administrator’s token, good for 90 days, and shows it once, on stderr. Where stderr is',
    'no terminal, it is in admin-token in the data directory (mode 0600) instead, and stays there until you remove it.',
    'Where it is lost, stop the broker and start it with --new-admin-token: whoever can do that owns the data anyway,',
    'and the ledger says so. Where every administrator’s token has ended, a start makes one by itself.',
    'A database that is missing, or older than the mark that is kept beside it, is refused: restore the newest one, or go on',
    'from what is there with --restored SIZE or --begin-anew, once. Entries that were lost keep their places in the log.',
    'SIGHUP reads TLS files, endorsements and the log level again where there is no terminal; the log says what came of',
    'it, and which settings need a start. On a terminal it stops the broker in order, as Ctrl-C does.',
    'The tour makes a simulator in the data directory, a policy that accepts what it signs, a secret and a rule,',
    'on a fresh data directory only. What the simulator signs verifies as long as it is there, also without --tour; where',
    'there is none, no simulated evidence is accepted. A tour that was cut off is taken up again by the next start. It',
    'serves no /metrics unless --metrics-listen says where.',
  ],
  examples: [
    'casemate up --tour',
    'casemate up --listen 0.0.0.0:8443 \\\n    --tls-cert-file tls.crt --tls-key-file tls.key',
  ],
  run: async call => (await import('../serving/up.ts')).serve(call),
}
