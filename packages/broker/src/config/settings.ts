// Every setting of the broker in one table: name, default, reader, meaning. Flag, environment variable and YAML key
// follow from the name: `tlsCertFile` is --tls-cert-file, CASEMATE_TLS_CERT_FILE and `tlsCertFile:`.

import { join } from 'node:path'
import type { Redacted } from '../redacted.ts'
import {
  type Reader,
  readBoolean,
  readCount,
  readDuration,
  readList,
  readListenAddress,
  readListenAddressOrOff,
  readNetworks,
  readOneOf,
  readProcesses,
  readSize,
  readText,
  readUnless,
  readUrl,
} from './units.ts'

interface Setting<T> {
  /** As it would be written in a file. */
  readonly default: string
  readonly read: Reader<T>
  readonly meaning: string
}

function setting<T>(fallback: string, read: Reader<T>, meaning: string): Setting<T> {
  return { default: fallback, read, meaning }
}

/** All settings. Adding one here adds its flag, variable, YAML key and line in `casemate config show`. */
export const SETTINGS = {
  dataDir: setting('.casemate', readText, 'directory of database, keys and caches; mode 0700'),
  listen: setting('127.0.0.1:8080', readListenAddress, 'address of KBS protocol and /v1'),
  metricsListen: setting('127.0.0.1:9464', readListenAddressOrOff, 'address of /metrics, or off'),
  issuer: setting('casemate', readText, 'iss of the attestation results'),
  ledgerOrigin: setting(
    'generated',
    readUnless('generated', readText),
    'origin line of the log; fixed at first start, or generated then',
  ),
  tlsCertFile: setting(
    'none',
    readUnless('none', readText),
    'PEM certificate chain, reloaded when it changes',
  ),
  tlsKeyFile: setting('none', readUnless('none', readText), 'PEM private key of the certificate'),
  tlsReloadInterval: setting('10s', readDuration, 'how often the TLS files are looked at'),
  trustedProxies: setting('', readNetworks, 'addresses or CIDRs whose X-Forwarded-For is believed'),

  kekSource: setting('file', readOneOf('file', 'passphrase'), 'what protects the key-encryption key'),
  kekFile: setting(
    'default',
    readUnless('default', readText),
    'key file, mode 0600; default is kek.json in dataDir',
  ),
  kekPassphraseFile: setting(
    'none',
    readUnless('none', readText),
    'file with the passphrase; CASEMATE_KEK_PASSPHRASE is the other way',
  ),

  bodyLimit: setting('2MiB', readSize, 'largest request body'),
  headerLimit: setting('128KiB', readSize, 'largest request head; guests send long bearer tokens'),
  requestTimeout: setting('30s', readDuration, 'time to receive a whole request'),
  idleTimeout: setting('65s', readDuration, 'how long an idle connection is kept'),
  connectionLimit: setting('2048', readCount, 'open connections; each takes some 65 KB with TLS'),
  clientConnectionLimit: setting(
    '256',
    readCount,
    'open connections of one client; trusted proxies may have all',
  ),
  authLimit: setting(
    '300',
    readCount,
    'POST /kbs/v0/auth per client and minute, as many attest, four times as many new connections',
  ),
  serverProcesses: setting(
    '0',
    readProcesses,
    'processes that serve clients beside the one that admits them; 0: that one serves them',
  ),
  shutdownGrace: setting('10s', readDuration, 'time for requests in flight at shutdown'),

  sessionTimeout: setting('5m', readDuration, 'from challenge to the last use of its session'),
  tokenLifetime: setting('5m', readDuration, 'validity of an attestation result'),
  evidenceRetention: setting('30d', readDuration, 'how long the evidence of past attestations is kept'),
  refusalRetention: setting(
    '30d',
    readDuration,
    'how long refused attestations are kept; the ledger keeps its entries',
  ),
  refusalBudget: setting(
    '256MiB',
    readSize,
    'space for refused attestations and their evidence; the oldest go first',
  ),
  rsa15: setting('false', readBoolean, 'serve the deprecated RSA1_5 key type to guests'),

  endorsementPaths: setting(
    '',
    readList,
    'files or directories of endorsements, read at start and again on SIGHUP',
  ),
  pcsUrl: setting(
    'https://api.trustedservices.intel.com',
    readUrl,
    'Intel PCS or a PCCS, for endorsements of Intel quotes',
  ),
  tcbUpdate: setting(
    'none',
    readUnless('none', readOneOf('early', 'standard')),
    'edition of TCB info to fetch from Intel: early (newest) or standard (enforced; also where none is set)',
  ),
  tcbEvaluationDataNumber: setting(
    'none',
    readUnless('none', readCount),
    'evaluation number of the TCB info and identities to fetch from Intel, instead of tcbUpdate',
  ),
  kdsUrl: setting('https://kdsintf.amd.com', readUrl, 'AMD KDS, for certificates of SNP reports'),
  caFile: setting(
    'none',
    readUnless('none', readText),
    'certificates (PEM) to trust beside the well-known ones, where endorsements are fetched',
  ),
  offline: setting('false', readBoolean, 'never fetch endorsements'),

  logLevel: setting(
    'info',
    readOneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent'),
    'least severe log line that is written; read again on SIGHUP',
  ),
} as const

const KEK_FILE = 'kek.json'

/** Where the key-encryption key is: the setting, or the place that goes without saying. */
export function kekFileOf({ kekFile, dataDir }: Pick<BrokerConfig, 'kekFile' | 'dataDir'>): string {
  return kekFile ?? join(dataDir, KEK_FILE)
}

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS

/** The one value that is never shown, and comes from the environment alone. */
export const PASSPHRASE_VARIABLE = 'CASEMATE_KEK_PASSPHRASE'

/** What the broker is started with: all settings, read and checked. */
export type BrokerConfig = {
  readonly [Name in SettingName]: ReturnType<(typeof SETTINGS)[Name]['read']>
} & {
  /** From {@link PASSPHRASE_VARIABLE}; null where it is not set. */
  readonly kekPassphrase: Redacted<string> | null
}
