// casemate enclave call: calls an enclave elsewhere, once it has proved that it is the one that was meant.

import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { INPUT_FLAGS } from '../enclaves/input.ts'
import { kindsToChoose, QUOTED_KINDS } from '../kinds/kinds.ts'
import { APPRAISAL_FLAGS } from '../verify/appraisal-flags.ts'

export const CALL_COMMAND: Command = {
  words: ['enclave', 'call'],
  summary: 'call an enclave over an attested channel, once it has proved which one it is',
  usage: 'HOST:PORT FUNCTION',
  minimum: 2,
  maximum: 2,
  flags: {
    ...INPUT_FLAGS,
    measurement: { value: 'HEX', summary: 'of the image: casemate enclave inspect shows it' },
    signer: { value: 'HEX', summary: 'of the image; with --product-id, since a signer may sign many' },
    'product-id': { value: 'N', summary: 'of the image' },
    'min-svn': { value: 'N', summary: 'lowest security version of the image' },
    simulated: { summary: 'accept the simulated platform of this machine, which proves nothing' },
    ...APPRAISAL_FLAGS,
    'ca-file': SERVER_FLAGS['ca-file'],
    attest: { summary: 'prove as well what this machine is, to an enclave that wants to know who calls' },
    ...ATTESTER_FLAGS,
    kind: {
      value: 'KIND',
      takes: QUOTED_KINDS,
      summary: `of the simulated platform with --attest: ${kindsToChoose(QUOTED_KINDS)}`,
    },
  },
  notes: [
    'Nothing is sent before the other end has proved itself; it can be meant by measurement, by signer, or in',
    'a policy file. Where a virtual machine measures the enclave (TDX, SEV-SNP), it has to be known itself:',
    'say which with --references, or all of it with --policy.',
  ],
  examples: ['casemate enclave call 127.0.0.1:7000 greet --input Zoë \\\n    --measurement HEX --simulated'],
  run: async call => (await import('../enclaves/client.ts')).callEnclave(call),
}
