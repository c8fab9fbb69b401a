// What clients meet: one app in this process (own-front.ts), or several in processes of their own (desks/).

import type { FastifyInstance } from 'fastify'
import type { BrokerConfig } from '../config/settings.ts'
import type { TlsMaterial } from '../http/tls.ts'
import type { BrokerDeps, Core } from './core.ts'
import type { HealthParts } from './health-routes.ts'
import type { KeepersState } from './shared-state.ts'

export interface FrontParts {
  readonly config: BrokerConfig
  readonly deps: BrokerDeps
  readonly core: Core
  readonly shared: KeepersState
  readonly health: HealthParts
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null
}

export interface Front {
  /** Those of this process, whose certificate changes with the files. */
  readonly apps: readonly FastifyInstance[]
  /** Settled where it has failed for good. */
  readonly failed: Promise<Error>
  /** Gives the URL. @throws {StartError} `address-in-use`, `address-unusable` */
  listen(): Promise<string>
  /** What other processes have counted, as prom-client hands it on. */
  metrics(): Promise<readonly object[]>
  /** Other processes read again what this one has. */
  reload(config: BrokerConfig): Promise<void>
  /** Takes no new requests, and cuts what is open after `graceMs`. */
  close(graceMs: number): Promise<void>
}
