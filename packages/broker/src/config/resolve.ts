// From flags, environment and one YAML file to the effective configuration, with the origin of each value.
// Flags win over the environment, which wins over the file. A key that is not a setting is refused, never ignored.

import { nearest } from '@casemate/evidence'
import { parse, YAMLParseError } from 'yaml'
import { StartError } from '../errors.ts'
import { Redacted } from '../redacted.ts'
import { checkConfig } from './check.ts'
import { type BrokerConfig, kekFileOf, PASSPHRASE_VARIABLE, SETTINGS, type SettingName } from './settings.ts'
import { WordError } from './units.ts'

/** Where settings come from. */
export interface ConfigSources {
  /** By name with dashes, without the leading ones: `{ 'tls-cert-file': 'tls.pem' }`. */
  readonly flags: Readonly<Record<string, string>>
  /** All of the environment; only `CASEMATE_*` is looked at. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Null where there is none. */
  readonly file: { readonly name: string; readonly text: string } | null
}

export interface ResolvedConfig {
  readonly values: BrokerConfig
  /** `default`, `file casemate.yaml`, `environment CASEMATE_LISTEN` or `flag --listen`. */
  readonly origins: Readonly<Record<SettingName | 'kekPassphrase', string>>
  /** As it would be written in a file; the passphrase is redacted. */
  readonly texts: Readonly<Record<SettingName | 'kekPassphrase', string>>
}

/** Variables of the same prefix that are the command's and the tests', not settings of a broker. */
const OTHER_VARIABLES = [
  'CASEMATE_CONFIG',
  'CASEMATE_GUEST_API',
  'CASEMATE_REQUIRE_CODE',
  'CASEMATE_SERVER',
  'CASEMATE_TOKEN',
  'CASEMATE_VECTORS',
  'CASEMATE_DATA',
  'CASEMATE_LONG_TESTS',
  PASSPHRASE_VARIABLE,
]

const NAMES = Object.keys(SETTINGS) as SettingName[]

/** `tlsCertFile` → `tls-cert-file`. */
export function flagName(name: SettingName): string {
  return name.replaceAll(/[A-Z]|\d+/g, part => `-${part.toLowerCase()}`)
}

/** `tlsCertFile` → `CASEMATE_TLS_CERT_FILE`. */
export function variableName(name: SettingName): string {
  return `CASEMATE_${flagName(name).replaceAll('-', '_').toUpperCase()}`
}

/** @throws {StartError} `config-unknown`, `config-invalid`, `config-conflict`, `tls-required` */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const file = sources.file === null ? {} : readFileSettings(sources.file)
  refuseUnknown(Object.keys(sources.flags), NAMES.map(flagName), name => `flag --${name}`)
  refuseUnknownVariables(sources.env)

  const entries = NAMES.map(name => {
    const { text, origin } = chooseText(name, sources, file)
    return { name, text, origin, value: readSetting(name, text, origin) }
  })
  const passphrase = sources.env[PASSPHRASE_VARIABLE]
  const values = {
    ...Object.fromEntries(entries.map(({ name, value }) => [name, value])),
    kekPassphrase: passphrase === undefined ? null : new Redacted(passphrase),
  } as BrokerConfig
  checkConfig(values)
  return {
    values,
    origins: gather(
      entries,
      'origin',
      passphrase === undefined ? 'default' : `environment ${PASSPHRASE_VARIABLE}`,
    ),
    texts: {
      ...gather(entries, 'text', passphrase === undefined ? 'none' : '<redacted>'),
      kekFile: kekFileOf(values),
    },
  }
}

/** A misspelt variable is refused, never ignored. @throws {StartError} `config-unknown` */
export function refuseUnknownVariables(env: ConfigSources['env']): void {
  const variables = Object.keys(env).filter(name => name.startsWith('CASEMATE_'))
  refuseUnknown(variables, [...NAMES.map(variableName), ...OTHER_VARIABLES], name => `environment ${name}`)
}

type Entry = { readonly name: SettingName; readonly text: string; readonly origin: string }

function gather(entries: readonly Entry[], what: 'text' | 'origin', passphrase: string) {
  const pairs = entries.map(entry => [entry.name, entry[what]])
  return { ...Object.fromEntries(pairs), kekPassphrase: passphrase } as Record<
    SettingName | 'kekPassphrase',
    string
  >
}

function chooseText(
  name: SettingName,
  { flags, env, file }: ConfigSources,
  fileSettings: Readonly<Record<string, string>>,
): { readonly text: string; readonly origin: string } {
  const flag = flags[flagName(name)]
  if (flag !== undefined) return { text: flag, origin: `flag --${flagName(name)}` }
  const variable = env[variableName(name)]
  if (variable !== undefined) return { text: variable, origin: `environment ${variableName(name)}` }
  const written = fileSettings[name]
  if (written !== undefined) return { text: written, origin: `file ${file?.name ?? ''}` }
  return { text: SETTINGS[name].default, origin: 'default' }
}

function readSetting(name: SettingName, text: string, origin: string): unknown {
  try {
    return SETTINGS[name].read(text)
  } catch (error) {
    const expected = error instanceof Error ? error.message : String(error)
    throw new StartError(
      'config-invalid',
      `${name} (${origin}) is ${JSON.stringify(text)}, want ${expected}`,
      {
        hint: hintOf(error, { name, text }),
        cause: error,
      },
    )
  }
}

function hintOf(
  error: unknown,
  { name, text }: { readonly name: SettingName; readonly text: string },
): string {
  const { meaning } = SETTINGS[name]
  const near = error instanceof WordError ? nearest(text, error.words) : null
  return near === null ? meaning : `did you mean ${near}? It is: ${meaning}`
}

function refuseUnknown(
  found: readonly string[],
  known: readonly string[],
  origin: (name: string) => string,
): void {
  for (const name of found) {
    if (known.includes(name)) continue
    const near = known.find(one => bare(one) === bare(name)) ?? nearest(name, known)
    throw new StartError('config-unknown', `${origin(name)} is not a setting`, {
      hint: near === null ? 'casemate config show lists all of them' : `did you mean ${near}?`,
    })
  }
}

/** The name without the spelling of a flag, a variable or a key. */
function bare(name: string): string {
  return name
    .replace(/^CASEMATE_/, '')
    .replaceAll(/[-_]/g, '')
    .toLowerCase()
}

function readFileSettings({
  name,
  text,
}: {
  readonly name: string
  readonly text: string
}): Record<string, string> {
  const document = parseYaml(name, text)
  if (document === null) return {}
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new StartError('config-invalid', `${name} is not a YAML mapping of settings`, {
      hint: 'one `name: value` a line; casemate config show lists all names',
    })
  }
  refuseUnknown(Object.keys(document), NAMES, key => `${key} in ${name}`)
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, settingText(name, key, value)]),
  )
}

function parseYaml(name: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown
  } catch (error) {
    const { message, line } = yamlProblem(error)
    const place = line === null ? name : `${name} line ${line}`
    throw new StartError('config-invalid', `${place} is not valid YAML${message}`, {
      hint: 'one `name: value` a line; quotes around a value with `: `, ` #` or brackets',
      cause: error,
    })
  }
}

/** The first line of the parser's message, without the excerpt of the file that it adds. */
function yamlProblem(error: unknown): { readonly message: string; readonly line: number | null } {
  if (!(error instanceof YAMLParseError)) return { message: '', line: null }
  const [first = ''] = error.message.split('\n')
  const message = first.replace(/ at line \d+, column \d+:?$/, '')
  return { message: `: ${message}`, line: error.linePos?.[0].line ?? null }
}

function settingText(file: string, key: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value.join(',')
  throw new StartError('config-invalid', `${key} in ${file} is neither a text nor a list of texts`, {
    hint: 'write the value as casemate config show prints it',
  })
}
