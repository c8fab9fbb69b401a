// casemate config: what a broker started here and now would go by, and where each value comes from.

import type { Command } from '../command.ts'
import { table } from '../terminal/table.ts'

export const CONFIG_COMMAND: Command = {
  words: ['config', 'show'],
  summary: 'print the effective settings of a broker started here, and where each comes from',
  usage: '',
  minimum: 0,
  maximum: 0,
  // The broker's table of settings comes with the whole broker, which no other command need wait for.
  flags: async () => {
    const { CONFIG_FLAG, SETTING_FLAGS } = await import('../serving/broker-settings.ts')
    return { ...CONFIG_FLAG, ...SETTING_FLAGS }
  },
  examples: ['casemate config show', 'casemate config show --config casemate.yaml'],
  run: async call => {
    const { resolveSettings } = await import('../serving/broker-settings.ts')
    const { texts, origins } = resolveSettings(call)
    const settings = Object.entries(texts).map(([name, value]) => ({
      name,
      value,
      origin: origins[name as keyof typeof origins],
    }))
    const rows = settings.map(({ name, value, origin }) => [name, value === '' ? '(empty)' : value, origin])
    return {
      exitCode: 0,
      json: { settings },
      lines: table(['setting', 'value', 'from'], rows, '', call.terminal.columns),
    }
  },
}
