// casemate demo: the tour on a broker of its own in a temporary directory; nothing is left behind.

import type { Command } from '../command.ts'

export const DEMO_COMMAND: Command = {
  words: ['demo'],
  summary: 'show the main job with a simulated workload, and leave nothing behind',
  usage: '',
  minimum: 0,
  maximum: 0,
  flags: {},
  examples: ['casemate demo'],
  run: async call => (await import('../serving/demo.ts')).demonstrate(call),
}
