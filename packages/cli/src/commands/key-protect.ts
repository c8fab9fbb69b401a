// casemate key protect: what opens the file of the key-encryption key, changed while the broker is stopped.

import type { Answer, Call, Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { wordsHint } from '../typed/flag-values.ts'
import { shellWord } from '../typed/shell-word.ts'

const PROTECTIONS = ['passphrase', 'file'] as const
type Protection = (typeof PROTECTIONS)[number]

const NEW_PASSPHRASE = 'new-passphrase-file'

/** The broker's settings that say where the key is and what opens it now. */
const SETTINGS = ['data-dir', 'kek-file', 'kek-source', 'kek-passphrase-file']

export const KEY_PROTECT_COMMAND: Command = {
  words: ['key', 'protect'],
  summary: 'put the key-encryption key of a stopped broker under a passphrase, another one, or none',
  usage: 'passphrase|file',
  minimum: 1,
  maximum: 1,
  flags: async () => {
    const { CONFIG_FLAG, SETTING_FLAGS } = await import('../serving/broker-settings.ts')
    return {
      [NEW_PASSPHRASE]: { value: 'FILE', summary: 'the passphrase from now on; one line' },
      ...CONFIG_FLAG,
      ...Object.fromEntries(Object.entries(SETTING_FLAGS).filter(([name]) => SETTINGS.includes(name))),
    }
  },
  notes: [
    'The settings say what opens the key file now, as they did for the last start; change them afterwards.',
    'With file, the mode of the key file is its only protection.',
    'The versions of the key stay as they are: a backup of the database opens with the new key file as it did',
    'with the former one.',
    'Copies of the key file made before open with what protected them then: keep the former passphrase for',
    'those that you keep. To make such a copy useless for what is stored later, rotate the key as well.',
  ],
  examples: [
    'casemate key protect passphrase --new-passphrase-file kek.pass',
    'casemate key protect passphrase --new-passphrase-file next.pass \\\n    --kek-source passphrase --kek-passphrase-file kek.pass',
    'casemate key protect file \\\n    --kek-source passphrase --kek-passphrase-file kek.pass',
  ],
  run: protect,
}

async function protect(call: Call): Promise<Answer> {
  const protection = protectionOf(call)
  const { resolveSettings } = await import('../serving/broker-settings.ts')
  const { protectKek } = await import('@casemate/broker')
  const passphraseFile = call.option(NEW_PASSPHRASE)
  const { values } = resolveSettings(call)
  const clocks = { now: call.terminal.now, elapsedMs: () => performance.now() }
  const done = await protectKek(values, passphraseFile, clocks)
  const isFile = passphraseFile === null
  const settings = isFile
    ? '--kek-source file'
    : `--kek-source passphrase --kek-passphrase-file ${shellWord(passphraseFile)}`
  const by = isFile ? 'the mode of its file alone' : 'the new passphrase'
  return {
    exitCode: 0,
    json: { ...done, protection },
    lines: [
      `the key-encryption key in ${done.keyFile} is protected by ${by} now: versions ${done.versions.join(', ')}`,
      `start the broker with ${settings}, or the same as variables or in its file`,
      'backups of the database open with this key file; older copies of the key file with what protected them then',
    ],
  }
}

/** @throws {CliError} argument-unexpected, argument-missing, flag-value-unwanted */
function protectionOf(call: Call): Protection {
  const [typed] = call.positionals
  const protection = PROTECTIONS.find(one => one === typed)
  if (protection === undefined) {
    throw new CliError('argument-unexpected', `a key file cannot be protected by ${typed}`, {
      hint: wordsHint(typed ?? '', PROTECTIONS),
    })
  }
  const isGiven = call.given(NEW_PASSPHRASE)
  if (protection === 'passphrase' && !isGiven) {
    throw new CliError('argument-missing', `key protect passphrase needs --${NEW_PASSPHRASE} FILE`, {
      hint: 'the file holds the passphrase in one line; it is never given on the command line',
    })
  }
  if (protection === 'file' && isGiven) {
    throw new CliError('flag-value-unwanted', `key protect file takes no --${NEW_PASSPHRASE}`, {
      hint: 'what opens the key now is --kek-passphrase-file or CASEMATE_KEK_PASSPHRASE',
    })
  }
  return protection
}
