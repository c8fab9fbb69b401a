// casemate secret: put, list and delete what the broker keeps; get attests, as a workload would.

import { resourcePath } from '@casemate/client'
import { attestWith, openAttester } from '../attesting/attester.ts'
import { ATTESTER_FLAGS } from '../attesting/flags.ts'
import { adminOf } from '../broker/connection.ts'
import { LIMIT_FLAG, listed, moreLines } from '../broker/paging.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readInput, STDIN } from '../files/input-files.ts'
import { table, time } from '../terminal/table.ts'
import { countOf } from '../typed/flag-values.ts'

const PATH = 'REPOSITORY/TYPE/TAG'

export const SECRET_COMMANDS: readonly Command[] = [
  {
    words: ['secret', 'put'],
    summary: 'store a secret, or a new version of it, from a file or stdin',
    usage: `${PATH} [FILE]`,
    minimum: 1,
    maximum: 2,
    flags: { ...SERVER_FLAGS, new: { summary: 'refuse where the secret exists already' } },
    notes: ['The octets are stored as they are: printf adds no newline, echo does.'],
    examples: [
      'printf %s "$PASSWORD" | casemate secret put default/db/password',
      'casemate secret put default/tls/key key.pem',
    ],
    run: async call => {
      const [typed = '', file = STDIN] = call.positionals
      const path = resourcePath(typed)
      const admin = adminOf(call)
      const content = await readInput(file, call)
      if (content.length === 0) throw new CliError('file-malformed', 'the secret is empty')
      const stored = await admin.secrets.put(path, content, call.given('new') ? 'new' : 'any')
      const line = `${stored.path} is stored as version ${stored.version} (ledger entry ${stored.ledgerIndex})`
      return { exitCode: 0, json: stored, lines: [line] }
    },
  },
  {
    words: ['secret', 'get'],
    summary: 'attest, by default as a simulated workload, and fetch a secret',
    usage: PATH,
    minimum: 1,
    maximum: 1,
    flags: { server: SERVER_FLAGS.server, 'ca-file': SERVER_FLAGS['ca-file'], ...ATTESTER_FLAGS },
    notes: [
      'No administrator can read a secret back; this command attests as any workload does, and gets it only',
      'where the policy accepts its evidence and a rule releases it. The secret goes to stdout. Evidence is',
      'simulated where the machine has no hardware for it, and then the policy has to accept that.',
    ],
    examples: ['casemate secret get default/demo/greeting'],
    run: async call => {
      const [typed = ''] = call.positionals
      // Before anything is proved to anybody, and recorded.
      const path = resourcePath(typed)
      const { attester } = await openAttester(call)
      const session = await attestWith(attester, call, 'P-256')
      const secret = await session.getSecret(path)
      return {
        exitCode: 0,
        json: { path, secret: Buffer.from(secret).toString('base64') },
        lines: [],
        bytes: secret,
      }
    },
  },
  {
    words: ['secret', 'list'],
    summary: 'list the secrets, never their contents',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: { ...SERVER_FLAGS, ...LIMIT_FLAG },
    examples: ['casemate secret list'],
    run: async call => {
      const admin = adminOf(call)
      const listing = await listed(call, page => admin.secrets.list(page))
      const rows = listing.items.map(secret => [secret.path, String(secret.version), time(secret.updatedAt)])
      const lines = table(
        ['secret', 'version', 'updated'],
        rows,
        'there are no secrets; casemate secret put --help',
        call.terminal.columns,
      )
      return { exitCode: 0, json: listing, lines: [...lines, ...moreLines(listing)] }
    },
  },
  {
    words: ['secret', 'delete'],
    summary: 'delete a secret, or one version of it',
    usage: PATH,
    minimum: 1,
    maximum: 1,
    flags: { ...SERVER_FLAGS, version: { value: 'N', summary: 'only this version; else all of it' } },
    examples: ['casemate secret delete default/db/password --version 1'],
    run: async call => {
      const path = resourcePath(call.positionals[0] ?? '')
      const version = countOf(call, 'version') ?? 'all'
      const deleted = await adminOf(call).secrets.delete(path, version)
      const what = version === 'all' ? path : `version ${version} of ${path}`
      return { exitCode: 0, json: deleted, lines: [`${what} is deleted`] }
    },
  },
]
