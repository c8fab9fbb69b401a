// casemate token: administrators' tokens. The broker keeps a hash only, so a token is shown once.

import type { Role } from '@casemate/client'
import { adminOf } from '../broker/connection.ts'
import { LIMIT_FLAG, listed, moreLines } from '../broker/paging.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { fields, table, time } from '../terminal/table.ts'
import { readWord } from '../typed/flag-values.ts'
import { readInstant } from '../typed/instant.ts'

const ROLES = ['auditor', 'writer', 'admin'] as const satisfies readonly Role[]

/** Long enough to be of use, short enough that a forgotten one does not stay a door. */
const DEFAULT_LIFETIME = '90d'

const UNITS_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

export const TOKEN_COMMANDS: readonly Command[] = [
  {
    words: ['token', 'create'],
    summary: 'make a token for a person or a program, and show it once',
    usage: 'NAME',
    minimum: 1,
    maximum: 1,
    flags: {
      ...SERVER_FLAGS,
      role: {
        value: 'ROLE',
        takes: ROLES,
        summary: 'auditor (reads), writer (secrets, policies, rules) or admin (all)',
      },
      expires: {
        value: 'WHEN',
        summary: `30m, 24h, 30d, 12w or an RFC 3339 time (default ${DEFAULT_LIFETIME})`,
      },
    },
    examples: ['casemate token create ci --role writer --expires 30d'],
    run: async call => {
      const [name = ''] = call.positionals
      const expiresAt = expiry(call.option('expires') ?? DEFAULT_LIFETIME, call.terminal.now())
      const role = roleOf(call.option('role'))
      const created = await adminOf(call).tokens.create({ name, role, expiresAt })
      const lines = fields([
        ['token', created.token],
        ['id', created.id],
        ['role', created.role],
        ['expires', time(created.expiresAt)],
      ])
      return {
        exitCode: 0,
        json: created,
        lines: [...lines, 'The token is not shown again; keep it where secrets are kept.'],
      }
    },
  },
  {
    words: ['token', 'list'],
    summary: 'list the tokens, never the tokens themselves',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: { ...SERVER_FLAGS, ...LIMIT_FLAG },
    examples: ['casemate token list'],
    run: async call => {
      const admin = adminOf(call)
      const listing = await listed(call, page => admin.tokens.list(page))
      const rows = listing.items.map(one => [
        one.id,
        one.name,
        one.role,
        time(one.createdAt),
        time(one.expiresAt),
      ])
      const headings = ['id', 'name', 'role', 'created', 'expires']
      const lines = table(headings, rows, 'there are no tokens', call.terminal.columns)
      return { exitCode: 0, json: listing, lines: [...lines, ...moreLines(listing)] }
    },
  },
  {
    words: ['token', 'revoke'],
    summary: 'make a token worthless at once',
    usage: 'ID',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    examples: ['casemate token revoke vrodetv4seimcol7'],
    run: async call => {
      const [id = ''] = call.positionals
      const revoked = await adminOf(call).tokens.delete(id)
      return { exitCode: 0, json: revoked, lines: [`token ${id} is revoked`] }
    },
  },
]

function roleOf(typed: string | null): Role {
  if (typed !== null) return readWord('role', typed, ROLES)
  throw new CliError('argument-missing', '--role is not given', { hint: `one of ${ROLES.join(', ')}` })
}

function expiry(typed: string, now: Date): string {
  const [, count, unit = ''] = /^(\d{1,4})([mhdw])$/.exec(typed) ?? []
  const span = Number(count) * (UNITS_MS[unit] ?? 0)
  const at = count === undefined ? readInstant(typed) : new Date(now.getTime() + span)
  if (at !== null && at > now) return at.toISOString()
  const wanted = at === null ? 'a span or a time with its zone' : 'a time to come'
  throw new CliError('flag-value-invalid', `--expires is ${typed}, want ${wanted}`, {
    hint: '30m (minutes), 24h, 30d, 12w, or e.g. 2027-01-31T00:00:00Z',
  })
}
