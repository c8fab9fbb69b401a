// The broker's settings on the command line: one flag for each, from the broker's own table.

import {
  type BrokerConfig,
  type ConfigSources,
  flagName,
  type ResolvedConfig,
  resolveConfig,
  SETTINGS,
  type SettingName,
} from '@casemate/broker'
import type { Call, Flag, Flags } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readBytes } from '../files/input-files.ts'
import { inWords } from '../kinds/kinds.ts'

/** Variables that are this command's, and none of the broker's settings. */
const OWN_VARIABLES: ReadonlySet<string> = new Set([
  'CASEMATE_SERVER',
  'CASEMATE_TOKEN',
  'CASEMATE_GUEST_API',
])

/** The path of the one file with settings. */
export const CONFIG_FLAG = {
  config: {
    value: 'FILE',
    summary: 'settings in YAML; else $CASEMATE_CONFIG; flags and environment win over it',
  },
} as const satisfies Flags

const NAMES = Object.keys(SETTINGS) as SettingName[]

/** `--data-dir`, `--listen` and all the others. */
export const SETTING_FLAGS: Flags = Object.fromEntries(NAMES.map(name => [flagName(name), flagOf(name)]))

function flagOf(name: SettingName): Flag {
  const { meaning, default: fallback, read } = SETTINGS[name]
  const { words = [] } = read
  // A default of this name is told by the meaning, and so may the words be.
  const isTold = fallback === '' || fallback === 'default'
  const notes = [
    ...(words.every(word => meaning.includes(word)) ? [] : [inWords(words)]),
    ...(isTold ? [] : [`default ${fallback}`]),
  ]
  return {
    value: 'VALUE',
    summary: notes.length === 0 ? meaning : `${meaning} (${notes.join('; ')})`,
    ...(words.length === 0 ? {} : { takes: words }),
  }
}

type SettingsFile = NonNullable<ConfigSources['file']>

/** Flags over environment over file. @throws {StartError} config-* @throws {CliError} file-not-readable */
export function resolveSettings(call: Call, file: SettingsFile | null = settingsFile(call)): ResolvedConfig {
  const flags = Object.fromEntries(
    Object.keys(SETTING_FLAGS)
      .filter(name => call.given(name))
      .map(name => [name, call.option(name) ?? '']),
  )
  const env = Object.fromEntries(
    Object.entries(call.terminal.env).filter(([name]) => !OWN_VARIABLES.has(name)),
  )
  return resolveConfig({ flags, env, file })
}

/**
 * As they are now, for a broker that runs. Whoever writes a file in place empties it first: read at that moment, it would
 * take from the broker what the file names. @throws {StartError} as above @throws {CliError} file-malformed
 */
export function rereadSettings(call: Call): ResolvedConfig {
  const file = settingsFile(call)
  if (file?.text.split('\n').every(line => /^\s*(#|$)/.test(line)) === true)
    throw new CliError('file-malformed', `${file.name} has no setting in it, as while it is written`)
  return resolveSettings(call, file)
}

/** Null if none is named. */
function settingsFile(call: Call): SettingsFile | null {
  const path = call.option('config') ?? call.terminal.env['CASEMATE_CONFIG']
  if (path === undefined || path === '') return null
  return { name: path, text: new TextDecoder().decode(readBytes(path)) }
}

export { type BrokerConfig, NAMES as SETTING_NAMES }
