// casemate verify: is this evidence genuine, is the platform good enough, is it the code that is wanted?

import { type Command, SERVER_FLAGS } from '../command.ts'
import { APPRAISAL_FLAGS } from '../verify/appraisal-flags.ts'

export const VERIFY_COMMAND: Command = {
  words: ['verify'],
  summary: 'say what a quote or report is, and why it is or is not to be trusted',
  usage: 'FILE...',
  minimum: 1,
  maximum: Number.POSITIVE_INFINITY,
  flags: {
    ...APPRAISAL_FLAGS,
    'ca-file': SERVER_FLAGS['ca-file'],
    'require-code': {
      summary: 'refuse to verify without comparing code; also where $CASEMATE_REQUIRE_CODE is true',
    },
    at: { value: 'TIME', summary: 'verify as of then, e.g. 2025-06-30T12:00:00Z (default now)' },
  },
  notes: [
    'Reads SGX quotes (v3), TDX quotes (v4, v5), SEV-SNP reports (v2 to v5), each binary or as tools and services write and',
    'wrap them: hex, base64, hexdumps, lists of octets, PEM armour, gzip; JSON of Confidential Containers, Intel Trust',
    'Authority, Azure Attestation, Veraison, dstack and Phala; protobuf of go-tdx-guest and go-sev-guest. - is stdin.',
    'Without --references the code is shown, and not compared with anything.',
    'CASEMATE_PCS_URL names a caching service (PCCS) in Intel’s place, CASEMATE_KDS_URL a mirror in AMD’s; where their TLS has',
    'an authority of your own, --ca-file names its certificate.',
    'Exit code 0: every file is accepted. 1: one at least is refused, or undecided because a paper of the vendor’s is not at',
    'hand; the text and --json say which, and why. 2: a flag or a file is wrong. 3: the vendor does not answer.',
  ],
  terms: [
    ['PCK', 'Provisioning Certification Key: Intel’s certificate for one machine'],
    ['QE', 'quoting enclave: signs quotes on that machine, vouched for by its PCK'],
    ['TCB', 'trusted computing base: the firmware and microcode that all rests on'],
    ['FMSPC', 'which kind of machine it is; Intel publishes TCB levels for each'],
    ['SVN', 'security version number: rises with every fix of a component'],
    ['CRL', 'certificate revocation list: what its issuer takes back'],
    ['VCEK', 'AMD’s key for one processor at one TCB; it signs SEV-SNP reports'],
  ],
  examples: [
    'casemate verify quote.bin --online',
    'casemate verify quote.bin --endorsements collateral/ --at 2025-06-30T12:00:00Z',
    'casemate verify report.bin --policy standard --references workloads.yaml',
  ],
  // Loaded when it is needed: the vendors' formats are most of the program.
  run: async call => (await import('../verify/verify-files.ts')).verifyFiles(call),
}
