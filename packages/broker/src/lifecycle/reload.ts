// Reads TLS files, endorsements and the log level again while the broker runs. Each is replaced as a whole or stays as it
// was, whatever becomes of the others. Other settings that have changed need a start, and are named in the log.

import { isDeepStrictEqual } from 'node:util'
import { type BrokerConfig, SETTINGS, type SettingName } from '../config/settings.ts'
import { StartError } from '../errors.ts'
import { describeError, type Logger } from '../http/logging.ts'
import { describeTls, type TlsReloader } from '../http/tls.ts'
import type { LoadedEndorsements } from './endorsement-files.ts'
import { tlsFilesOf } from './listening.ts'

/** What can be replaced, by the name that the log and the ledger give it. */
export type Part = 'tls' | 'endorsements' | 'logLevel'

const SETTINGS_OF: Readonly<Record<Part, readonly SettingName[]>> = {
  tls: ['tlsCertFile', 'tlsKeyFile'],
  endorsements: ['endorsementPaths'],
  logLevel: ['logLevel'],
}

export interface ReloadParts {
  readonly config: BrokerConfig
  /** Null: plain HTTP. */
  readonly tls: TlsReloader | null
  readonly endorsements: LoadedEndorsements
  readonly logger: Logger
}

type Outcome = 'reloaded' | 'unchanged' | 'failed'

export class Reloader {
  readonly #parts: ReloadParts
  #config: BrokerConfig

  constructor(parts: ReloadParts) {
    this.#parts = parts
    this.#config = parts.config
  }

  /** Never throws: what cannot be used is logged, and the old stays in force. Gives what was replaced. */
  reload(read: () => BrokerConfig): readonly Part[] {
    const readSettings = this.#attempt('settings', read)
    const wanted = readSettings ?? this.#config
    const needStart = this.#needStart(wanted)
    const outcomes: readonly (readonly [Part, Outcome])[] = [
      ['tls', this.#replaceTls(wanted)],
      ['endorsements', this.#replaceEndorsements(wanted)],
      ['logLevel', wanted.logLevel === this.#config.logLevel ? 'unchanged' : 'reloaded'],
    ]
    const of = (outcome: Outcome) => outcomes.filter(each => each[1] === outcome).map(([part]) => part)
    const [reloaded, unchanged, failed] = [of('reloaded'), of('unchanged'), of('failed')]
    const { logger } = this.#parts
    if (needStart.length > 0)
      logger.warn({ settings: needStart }, 'these settings have changed, and count from the next start')
    logger.info(
      { reloaded, unchanged, failed: readSettings === null ? ['settings', ...failed] : failed },
      'read again',
    )
    this.#keep(wanted, [...reloaded, ...unchanged])
    // Last, so that the old level still decides about the lines above; and not unless it has changed, as whoever started
    // the broker may have given another.
    if (reloaded.includes('logLevel')) logger.level = wanted.logLevel
    return reloaded
  }

  /** Settings as they count now. */
  get inForce(): BrokerConfig {
    return this.#config
  }

  #keep(wanted: BrokerConfig, parts: readonly Part[]): void {
    const names = parts.flatMap(part => SETTINGS_OF[part])
    this.#config = { ...this.#config, ...Object.fromEntries(names.map(name => [name, wanted[name]])) }
  }

  /** TLS is never begun or given up while the broker listens. */
  #needStart(wanted: BrokerConfig): readonly SettingName[] {
    const { tls } = this.#parts
    const replaced = new Set<SettingName>([...SETTINGS_OF.endorsements, ...SETTINGS_OF.logLevel])
    if (tls !== null && tlsFilesOf(wanted) !== null) for (const name of SETTINGS_OF.tls) replaced.add(name)
    const names = Object.keys(SETTINGS) as SettingName[]
    return names.filter(
      name => !replaced.has(name) && !isDeepStrictEqual(wanted[name], this.#parts.config[name]),
    )
  }

  #replaceTls(wanted: BrokerConfig): Outcome {
    const { tls, logger } = this.#parts
    if (tls === null) return 'unchanged'
    const files = tlsFilesOf(wanted) ?? tls.files
    return this.#replace('tls', () => {
      const material = tls.reload(files)
      if (material !== null) logger.info({ ...files, ...describeTls(material) }, 'TLS certificate reloaded')
      return material !== null
    })
  }

  #replaceEndorsements({ endorsementPaths }: BrokerConfig): Outcome {
    const { endorsements, logger } = this.#parts
    return this.#replace('endorsements', () => {
      const isNew = endorsements.reload(endorsementPaths)
      if (isNew) logger.info({ files: endorsements.fileCount }, 'endorsements reloaded')
      return isNew
    })
  }

  #replace(part: Part, work: () => boolean): Outcome {
    const isNew = this.#attempt(part, work)
    if (isNew === null) return 'failed'
    return isNew ? 'reloaded' : 'unchanged'
  }

  #attempt<T>(part: Part | 'settings', work: () => T): T | null {
    try {
      return work()
    } catch (error) {
      this.#parts.logger.error(
        { part, failure: describeError(error), ...reasonOf(error) },
        'could not be read again; what is in force stays',
      )
      return null
    }
  }
}

/** The words of an error that names a file or a setting; of others, only what `describeError` says. */
function reasonOf(error: unknown): object {
  const isNamed = error instanceof StartError || (error instanceof Error && error.name === 'CliError')
  if (!isNamed) return {}
  const { message: reason, hint } = error as Error & { readonly hint?: string }
  return hint === undefined ? { reason } : { reason, hint }
}
