// The broker's tables in numbered steps. A step, once released, is never edited: a change is a new step.
// The ledger keeps tables and numbering of its own in the same database.

import type { DatabaseSync } from 'node:sqlite'
import { StartError } from '../errors.ts'

/** Step n (from 1) brings the schema from version n - 1 to n. Times are milliseconds since 1970, UTC. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE broker_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE generations (kind TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE secrets (
    id INTEGER PRIMARY KEY,
    repository TEXT NOT NULL, type TEXT NOT NULL, tag TEXT NOT NULL,
    last_version INTEGER NOT NULL,
    current_version INTEGER,              -- null: deleted; the row stays so that no version number is used twice
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    UNIQUE (repository, type, tag)
  ) STRICT;
  CREATE TABLE secret_versions (
    secret_id INTEGER NOT NULL REFERENCES secrets (id),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    kek_version INTEGER NOT NULL, data_key BLOB NOT NULL, ciphertext BLOB NOT NULL,
    PRIMARY KEY (secret_id, version)
  ) STRICT;
  CREATE INDEX secret_versions_by_kek ON secret_versions (kek_version);
  CREATE TABLE documents (
    kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE attestations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, verdict TEXT NOT NULL,
    kind TEXT, code TEXT, explanation TEXT NOT NULL, ledger_index INTEGER
  ) STRICT;
  CREATE INDEX attestations_by_verdict ON attestations (verdict, sequence);
  CREATE TABLE attestation_evidence (
    id TEXT PRIMARY KEY REFERENCES attestations (id), at INTEGER NOT NULL, evidence BLOB NOT NULL
  ) STRICT;
  CREATE INDEX attestation_evidence_by_time ON attestation_evidence (at);
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE keys (
    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, public_jwk TEXT,
    kek_version INTEGER NOT NULL, wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL, active_from INTEGER NOT NULL, retires_at INTEGER
  ) STRICT;
  `,
  // What refused attestations take is bounded, so each attestation says what it took when it was stored.
  `
  DELETE FROM attestation_evidence WHERE length(evidence) = 0;
  ALTER TABLE attestations ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE attestations SET size_bytes = octet_length(explanation) + coalesce(
    (SELECT length(e.evidence) FROM attestation_evidence e WHERE e.id = attestations.id), 0);
  DROP INDEX attestations_by_verdict;
  CREATE INDEX attestations_by_verdict ON attestations (verdict, sequence, size_bytes);
  CREATE INDEX attestations_refused_by_time ON attestations (at) WHERE verdict = 'refused';
  `,
  // Policies that state every field were written when no enclave could be stated: they leave it open, now by name.
  `
  UPDATE documents SET document = json_set(document, '$.enclave', json('{
    "mrEnclave":"any","mrSigner":"any","isvProdId":"any","minIsvSvn":"any","isvExtProdId":"any",
    "isvFamilyId":"any","debug":"any","measuredBy":"any","register":"any"}'))
  WHERE kind = 'policy' AND json_type(document, '$.extends') IS NULL AND json_type(document, '$.enclave') IS NULL;
  `,
  // Sample workloads were written when their svn was all that could be stated: they leave the rest open, now by name.
  `
  UPDATE documents SET document = json_set(document, '$.workloads', (
    SELECT json_group_array(CASE json_extract(value, '$.kind')
      WHEN 'sample' THEN json_insert(value, '$.launchDigest', 'any', '$.majorVersion', 'any', '$.minMinorVersion', 'any')
      ELSE json(value) END ORDER BY key)
    FROM json_each(document, '$.workloads')))
  WHERE kind = 'reference' AND EXISTS (
    SELECT 1 FROM json_each(document, '$.workloads') WHERE json_extract(value, '$.kind') = 'sample');
  `,
  // Policies that state every field were written before PCK fields, migrated domains and ages of collateral could be
  // stated: they leave them open, now by name. Bit 17 of TDATTRIBUTES has a name since: what a policy says of it by number
  // (digit 6 of the hex, 2 of its four bits) is said by name.
  `
  UPDATE documents SET document = json_insert(document,
    '$.platform', json('{"sgxType":"any","platformInstanceId":"any","dynamicPlatform":"any","cachedKeys":"any","smtEnabled":"any"}'),
    '$.tdx.migration', json('{"vmId":"any","tdId":"any","devInfo":"any","initServiceTdHash":"any",
      "initServiceTdAttributes":"any","initCpuSvn":"any","initTeeTcbSvn":"any","initTeeFmspc":"any",
      "currentServiceTdHash":"any","currentServiceTdAttributes":"any"}'),
    '$.tcb.maxCollateralAge', 'any')
  WHERE kind = 'policy' AND json_type(document, '$.extends') IS NULL;
  UPDATE documents SET document = json_insert(document, '$.tdx.attributes.servtdExt',
    CASE WHEN instr('2367abef', lower(substr(document ->> '$.tdx.attributes.unknownBits.mask', 6, 1))) = 0 THEN json('"any"')
      WHEN instr('2367abef', lower(substr(document ->> '$.tdx.attributes.unknownBits.value', 6, 1))) = 0 THEN json('false')
      ELSE json('true') END)
  WHERE kind = 'policy' AND json_type(document, '$.tdx.attributes.unknownBits') = 'object';
  UPDATE documents SET document = json_set(document,
    '$.tdx.attributes.unknownBits.mask', substr(document ->> '$.tdx.attributes.unknownBits.mask', 1, 5) ||
      substr('010145458989cdcd', instr('0123456789abcdef', lower(substr(document ->> '$.tdx.attributes.unknownBits.mask', 6, 1))), 1) ||
      substr(document ->> '$.tdx.attributes.unknownBits.mask', 7),
    '$.tdx.attributes.unknownBits.value', substr(document ->> '$.tdx.attributes.unknownBits.value', 1, 5) ||
      substr('010145458989cdcd', instr('0123456789abcdef', lower(substr(document ->> '$.tdx.attributes.unknownBits.value', 6, 1))), 1) ||
      substr(document ->> '$.tdx.attributes.unknownBits.value', 7))
  WHERE kind = 'policy' AND json_type(document, '$.tdx.attributes.unknownBits') = 'object';
  UPDATE documents SET document = json_insert(document, '$.tdx.attributes.servtdExt', 'any')
  WHERE kind = 'policy' AND json_type(document, '$.tdx.attributes.unknownBits') = 'text';
  `,
  // What refused attestations take is kept beside them, whoever adds and removes them; evidence goes with its attestation.
  `
  CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO totals SELECT 'refused-bytes', coalesce(sum(size_bytes), 0) FROM attestations WHERE verdict = 'refused';
  CREATE TRIGGER attestation_refused AFTER INSERT ON attestations WHEN NEW.verdict = 'refused' BEGIN
    UPDATE totals SET value = value + NEW.size_bytes WHERE name = 'refused-bytes'; END;
  CREATE TRIGGER attestation_removed BEFORE DELETE ON attestations WHEN OLD.verdict = 'refused' BEGIN
    UPDATE totals SET value = value - OLD.size_bytes WHERE name = 'refused-bytes';
    DELETE FROM attestation_evidence WHERE id = OLD.id; END;
  `,
  // A challenge is taken by one attestation, of whichever process.
  `
  CREATE TABLE used_challenges (
    ends_at INTEGER NOT NULL, nonce TEXT NOT NULL, PRIMARY KEY (ends_at, nonce)
  ) STRICT, WITHOUT ROWID;
  `,
]

/**
 * Brings the database to this program's version, each step in a transaction.
 * @throws {StartError} `database-newer` where a newer program has been at work
 */
export function migrate(db: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  db.exec('CREATE TABLE IF NOT EXISTS broker_schema (version INTEGER NOT NULL) STRICT')
  while (versionOf(db, migrations) < migrations.length) runStep(db, migrations)
}

function runStep(db: DatabaseSync, migrations: readonly string[]): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    // Asked within: another process may just have taken the step.
    const step = versionOf(db, migrations)
    db.exec(migrations[step] ?? '')
    db.exec('DELETE FROM broker_schema')
    db.prepare('INSERT INTO broker_schema (version) VALUES (?)').run(Math.min(step + 1, migrations.length))
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function versionOf(db: DatabaseSync, migrations: readonly string[]): number {
  const found = db.prepare('SELECT version FROM broker_schema').get()?.['version'] ?? 0
  if (typeof found === 'number' && found <= migrations.length) return found
  const message = `the database has schema ${String(found)}, want at most ${migrations.length}`
  throw new StartError('database-newer', message, {
    hint: 'a newer casemate wrote it: start that one, or restore a backup',
  })
}
