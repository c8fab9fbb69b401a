// casemate unseal: opens a sealed file, for the owner who holds the key or as the enclave that it is for.

import { statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { type Opener, type SealedHeader, type SealingIdentity, unsealFile } from '@casemate/enclave'
import type { Answer, Call, Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { headerJson, headerRows } from '../sealing/header-rows.ts'
import { readImage } from '../sealing/images.ts'
import { startMeter } from '../sealing/meter.ts'
import { enclaveParty, isOwner, ownerRoot, PARTY_FLAGS } from '../sealing/parties.ts'
import { BROKER_FLAGS } from '../sealing/roots.ts'
import { listenForStopOrHangUp } from '../terminal/stop-signal.ts'
import { fields } from '../terminal/table.ts'

const STDOUT = '-'

export const UNSEAL_COMMAND: Command = {
  words: ['unseal'],
  summary: 'open a sealed file',
  usage: 'INPUT OUTPUT',
  minimum: 2,
  maximum: 2,
  flags: {
    ...PARTY_FLAGS,
    for: { value: 'IMAGE', summary: 'as the owner: refuse what is for another enclave than this' },
    ...BROKER_FLAGS,
  },
  notes: [
    'Nothing comes out before all of INPUT has verified. OUTPUT must not exist; - is stdout, so that an',
    'enclave’s plaintext need not touch a disk.',
  ],
  examples: [
    'casemate unseal --key-file data.key genome.sealed genome.vcf',
    'casemate unseal --image score.enclave --root broker \\\n    --key-path default/key/genome genome.sealed - | wc -c',
  ],
  run: unseal,
}

async function unseal(call: Call): Promise<Answer> {
  const [input = '', output = ''] = call.positionals
  const isStdout = output === STDOUT
  if (isStdout && call.terminal.json) {
    throw new CliError('flag-value-invalid', '--json and the plaintext cannot both go to stdout')
  }
  const opener = await openerOf(call)
  const stop = listenForStopOrHangUp()
  const meter = startMeter(call.terminal, { verb: 'verified and opened', total: totalOf(input) })
  try {
    const out = isStdout ? (call.terminal.stdout as Writable) : output
    const header = await unsealFile(input, out, { opener, signal: stop.signal, progress: meter.add })
    const lines = isStdout ? [] : [`${output}: opened`, ...fields(headerRows(header), '  ')]
    return { exitCode: 0, json: { file: output, ...headerJson(header) }, lines }
  } finally {
    meter.end()
    stop.release()
  }
}

/** It is read twice, to verify it and to write it. */
function totalOf(input: string): number | null {
  const size = statSync(input, { throwIfNoEntry: false })?.size
  return size === undefined ? null : 2 * size
}

async function openerOf(call: Call): Promise<Opener> {
  if (!isOwner(call)) {
    const who = await enclaveParty(call, false)
    return () => who
  }
  const root = ownerRoot(call)
  const image = call.option('for')
  const wanted = image === null ? null : readImage(image, call).identity
  return header => ({ root, identity: wanted ?? identityIn(header) })
}

/** The owner opens whatever was sealed with the key, for whomever it is. */
function identityIn({ measurement, isvProdId, isvSvn, debug }: SealedHeader): SealingIdentity {
  return { mrEnclave: measurement, mrSigner: measurement, isvProdId, isvSvn, debug }
}
