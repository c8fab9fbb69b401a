// casemate platform: which hardware gives evidence here, and what is missing if none does.

import { statSync } from 'node:fs'
import { type Detection, type DriverName, detectPlatform, type Looked } from '@casemate/enclave'
import type { Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { hanging, hintLines, mark } from '../terminal/marks.ts'
import type { Terminal } from '../terminal/terminal.ts'

const NAMES: Readonly<Record<DriverName, string>> = {
  gramine: 'SGX under Gramine',
  tdx_guest: 'Intel TDX',
  sev_guest: 'AMD SEV-SNP',
}

export const PLATFORM_COMMAND: Command = {
  words: ['platform'],
  summary: 'show which hardware gives evidence on this machine, and what is missing',
  usage: '',
  minimum: 0,
  maximum: 0,
  flags: {
    root: { value: 'DIR', summary: 'look at the file system below DIR, e.g. the host’s (default /)' },
  },
  notes: [
    'Nothing is signed: the kernel is asked which provider it has, by an entry that is removed again.',
    'Run it as root, as the kernel makes entries for root only. Exit code 1 where no hardware gives evidence.',
  ],
  terms: [
    ['Gramine', 'runs a program in an SGX enclave, which attests by /dev/attestation'],
    ['configfs-tsm', 'the files through which Linux 6.7 and later gives reports of TDX and SEV-SNP'],
  ],
  examples: ['casemate platform', 'casemate platform --json'],
  run: async call => {
    const root = call.option('root') ?? '/'
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
      const what = root === '' ? 'empty' : `${root}, which is no directory`
      throw new CliError('flag-value-invalid', `--root is ${what}`, { hint: 'a directory, e.g. /host' })
    }
    const detection = await detectPlatform({ root })
    const lines = detectionLines(detection, call.terminal)
    return { exitCode: detection.driver === null ? 1 : 0, json: detection, lines }
  },
}

function detectionLines({ driver, looked }: Detection, terminal: Terminal): string[] {
  const found =
    driver === null
      ? 'No hardware gives evidence here. What attests here is simulated, and proves nothing of a machine.'
      : `Evidence comes from ${NAMES[driver]}.`
  return [...looked.flatMap(one => lookedLines(one, terminal)), '', ...hanging(found, 0, terminal.columns)]
}

function lookedLines({ driver, fits, reason, hint }: Looked, { palette, columns }: Terminal): string[] {
  const [first = '', ...rest] = hanging(`${NAMES[driver]}  ${reason}`, '  ✗ '.length, columns)
  return [mark(fits, first, palette), ...rest, ...(hint === null ? [] : hintLines(hint, palette))]
}
