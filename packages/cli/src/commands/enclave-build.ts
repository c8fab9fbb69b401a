// casemate enclave build: AssemblyScript, or a module of another compiler, into an unsigned image.

import {
  type BuildSettings,
  buildEnclave,
  DEFAULT_MEMORY_PAGES,
  type Manifest,
  parseImage,
  RUNTIMES,
  SETTINGS_FILE,
} from '@casemate/enclave'
import type { Call, Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { writeOutput } from '../files/output-files.ts'
import { ANY_IMAGE } from '../images/image-files.ts'
import { fields } from '../terminal/table.ts'
import { readWord } from '../typed/flag-values.ts'
import { pasted, shellWord } from '../typed/shell-word.ts'

export const BUILD_COMMAND: Command = {
  words: ['enclave', 'build'],
  summary: 'compile an enclave into an unsigned image',
  usage: 'SOURCE',
  minimum: 1,
  maximum: 1,
  flags: {
    out: { value: 'FILE', summary: 'the image (default NAME.enclave in this folder)' },
    name: { value: 'NAME', summary: 'what it is called (default: the source’s name)' },
    secret: { value: 'PATH', summary: 'a secret that it may ask for, REPOSITORY/TYPE/TAG', multiple: true },
    set: { value: 'NAME=VALUE', summary: 'a setting that it can read', multiple: true },
    'product-id': { value: 'N', summary: 'isvProdId, your number for this product (default 0)' },
    svn: { value: 'N', summary: 'isvSvn, its security version (default 0)' },
    'memory-pages': {
      value: 'N',
      summary: `most memory, in pages of 64 KiB (default ${DEFAULT_MEMORY_PAGES}, which is 16 MiB)`,
    },
    threads: { value: 'N', summary: 'most instances at once (default 1)' },
    runtime: {
      value: 'NAME',
      takes: RUNTIMES,
      summary: `${RUNTIMES.join(' (default) or ')}: how AssemblyScript frees memory; minimal only by __collect()`,
    },
    debug: { summary: 'a debug image, which only a debug platform runs: it keeps no secret' },
  },
  notes: [
    'SOURCE is AssemblyScript (.ts), or a module that another compiler made (.wasm).',
    'Every exported function of type (Uint8Array): Uint8Array becomes a call.',
    `What is always the same can stand in ${SETTINGS_FILE} beside the source:`,
    'name, isvProdId, isvSvn, debug, memoryPages, threads, configuration, secrets, runtime; flags win.',
    'The same source and settings give the same bytes on every machine, so others can check them.',
  ],
  examples: [
    'casemate enclave build greet.ts',
    'casemate enclave build greet.ts --secret default/greet/phrase --svn 2',
  ],
  run: async call => {
    const [entry = ''] = call.positionals
    const image = await call.terminal.progress('compiling', buildEnclave({ entry, ...settingsOf(call) }))
    const { manifest, mrEnclave } = parseImage(image)
    const file = call.option('out') ?? `${manifest.name}.enclave`
    writeOutput(file, image, ANY_IMAGE)
    const measurement = Buffer.from(mrEnclave).toString('hex')
    const rows = [
      ['measurement', measurement],
      ...manifestRows(manifest).filter(([name]) => name === 'calls in' || name === 'calls out'),
    ] as const
    return {
      exitCode: 0,
      json: { file, measurement, manifest },
      lines: [
        `${file}: ${image.length.toLocaleString('en')} bytes, unsigned`,
        ...fields(rows, '  '),
        `next: ${pasted(`enclave sign ${shellWord(file)} --key KEY`)}`,
      ],
    }
  },
}

function settingsOf(call: Call): Partial<BuildSettings> {
  const settings = {
    name: call.option('name'),
    isvProdId: numberOf(call, 'product-id'),
    isvSvn: numberOf(call, 'svn'),
    memoryPages: numberOf(call, 'memory-pages', PAGES),
    threads: numberOf(call, 'threads'),
    runtime: runtimeOf(call),
    debug: call.given('debug') ? true : null,
    secrets: call.given('secret') ? call.options('secret') : null,
    configuration: call.given('set') ? Object.fromEntries(call.options('set').map(settingOf)) : null,
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
}

/** The compiler takes no more than 4 GiB, and is asked before the manifest. */
const PAGES = { from: 1, to: 65_536 } as const

/** Other ranges are the manifest's to check. */
function numberOf(call: Call, flag: string, { from, to } = { from: 0, to: Infinity }): number | null {
  const typed = call.option(flag)
  if (typed === null) return null
  const value = Number(typed)
  if (/^\d{1,9}$/.test(typed) && value >= from && value <= to) return value
  const range = to === Infinity ? '' : ` from ${from} to ${to}`
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}, want a whole number${range}`)
}

function runtimeOf(call: Call): (typeof RUNTIMES)[number] | null {
  const typed = call.option('runtime')
  return typed === null ? null : readWord('runtime', typed, RUNTIMES)
}

function settingOf(typed: string): readonly [string, string] {
  const at = typed.indexOf('=')
  if (at > 0) return [typed.slice(0, at), typed.slice(at + 1)]
  throw new CliError('flag-value-invalid', `--set is ${typed}, want NAME=VALUE`)
}

/** The manifest as a person reads it. */
export function manifestRows(manifest: Manifest): (readonly [string, string])[] {
  const { isvProdId, isvSvn, debug, memoryPages, threads, exports, imports, secrets, configuration } =
    manifest
  const list = (names: readonly string[]): string => names.join(', ') || 'none'
  return [
    ['product id', String(isvProdId)],
    ['security version', String(isvSvn)],
    ['debug', debug ? 'YES: the host may look inside, it keeps no secret' : 'no'],
    ['memory', `at most ${memoryPages / 16} MiB an instance, ${memoryPages} pages`],
    ['threads', `at most ${threads}`],
    ['calls in', list(exports)],
    ['calls out', list(imports)],
    ['secrets', list(secrets)],
    ...Object.entries(configuration).map(([name, value]) => [`setting ${name}`, value] as const),
  ]
}
