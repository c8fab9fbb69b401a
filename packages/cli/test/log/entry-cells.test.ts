import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entrySubject } from '../../src/log/entry-cells.ts'

const head = (type: string): Record<string, unknown> => ({ type, at: '2026-01-01T00:00:00Z', actor: {} })

test('every entry of the log says what it is about, also where no member of it is a name', () => {
  for (const [type, details, subject] of [
    ['token.created', { token: 'osopmuj7a2hbekdk', name: 'ci', role: 'writer' }, 'ci'],
    ['token.deleted', { token: 'osopmuj7a2hbekdk' }, 'osopmuj7a2hbekdk'],
    ['secret.put', { secret: 'default/db/password', version: 2 }, 'default/db/password'],
    ['broker.started', { version: '0.1.0' }, 'version 0.1.0'],
    ['kek.rotated', { version: 2 }, 'version 2'],
    ['kek.protected', { by: 'passphrase' }, 'by passphrase'],
    ['clock.stepped', { stepMs: -3_600_000 }, 'stepMs -3600000'],
    ['evidence.purged', { before: '2026-01-01T00:00:00Z', count: 4 }, 'before 2026-01-01T00:00:00Z, count 4'],
    ['ledger.restored', { entries: 7, lost: null, mark: { size: 9 } }, 'entries 7'],
    ['admin.used', { route: 'GET /v1/tokens', status: 403 }, 'GET /v1/tokens → 403'],
    ['ledger.erased', {}, '-'],
  ] as const) {
    assert.equal(entrySubject({ ...head(type), ...details }), subject, type)
  }
})
