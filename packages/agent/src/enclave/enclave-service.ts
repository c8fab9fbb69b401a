// An enclave under a lease: serves while the broker allows it to have its secrets, is started anew with those that have
// changed if that was chosen, and ends with the lease otherwise, as a command of `casemate run` does.

import type { CallTarget } from '@casemate/channel'
import type { Enclave } from '@casemate/enclave'
import type { Agent, AgentEvent } from '../standing/agent.ts'
import { tellerOn } from '../standing/event-line.ts'
import type { KnownSecrets } from '../standing/known-secrets.ts'
import { type LeaseEnd, type LeaseEndChoice, leaseEndOf } from '../standing/lease-end.ts'
import { EnclaveTurn, type Secrets, wipe } from './enclave-turn.ts'

/** An enclave of which a secret has changed keeps what it has, or is started anew. */
export const ENCLAVE_CHANGE_POLICIES = ['keep', 'restart'] as const

/** An enclave to be opened with its secrets, and the agent that they are leased from. */
export interface EnclaveServiceOptions extends LeaseEndChoice {
  /** Null if no broker released anything, so that no lease ends it. */
  readonly agent: Pick<Agent, 'start' | 'close'> | null
  readonly known: KnownSecrets | null
  readonly onChange: (typeof ENCLAVE_CHANGE_POLICIES)[number]
  /** Of all that it declares. */
  readonly secrets: Secrets
  readonly open: (secrets: Secrets) => Promise<Enclave>
  readonly note: (line: string) => void
}

const LEASE_OVER = 'the lease of what it was given has ended'

/** Answers calls by one enclave after another, until its lease ends. */
export class EnclaveService {
  /** What clients call, whichever enclave answers. */
  readonly target: CallTarget
  /** Resolves when it was ended because of its lease, with what may be under way still at work. */
  readonly leaseEnded: Promise<LeaseEnd>
  readonly #options: EnclaveServiceOptions
  readonly #end: (why: LeaseEnd) => void
  readonly #tell: (event: AgentEvent) => void
  #secrets: Secrets
  #turn: EnclaveTurn
  /** The last change; one follows the other. */
  #changing: Promise<void> = Promise.resolve()
  #ended = false

  /** @throws {EnclaveError} as `Enclave.create` */
  static async open(options: EnclaveServiceOptions): Promise<EnclaveService> {
    const { secrets, open } = options
    return new EnclaveService(options, new EnclaveTurn(await open(secrets), secrets))
  }

  private constructor(options: EnclaveServiceOptions, turn: EnclaveTurn) {
    this.#options = options
    this.#secrets = options.secrets
    this.#turn = turn
    this.#tell = tellerOn(options.note)
    const { promise, resolve } = Promise.withResolvers<LeaseEnd>()
    this.leaseEnded = promise
    this.#end = resolve
    this.target = {
      call: (...args) => this.#turn.call(...args),
      callBatch: (...args) => this.#turn.callBatch(...args),
    }
  }

  /** From now on the lease is renewed, and ends it. */
  start(): void {
    this.#options.agent?.start(event => this.#hear(event))
  }

  /** Ends it: calls under way have the grace, and nothing keeps a secret. */
  async close(): Promise<void> {
    this.#ended = true
    this.#options.agent?.close()
    await this.#changing
    await this.#turn.end('the enclave is being ended', this.#options.graceMs)
  }

  #hear(event: AgentEvent): void {
    this.#tell(event)
    const why = leaseEndOf(event, this.#options.onLeaseEnd)
    if (why !== null) this.#stop(why)
    else if (event.kind === 'renewed') this.#changing = this.#changing.then(() => this.#lookForChanges())
  }

  #stop(why: LeaseEnd): void {
    this.#ended = true
    this.#options.agent?.close()
    this.#turn.refuse(LEASE_OVER)
    this.#end(why)
  }

  async #lookForChanges(): Promise<void> {
    const { known, note, onChange } = this.#options
    const changed = (await known?.changed()) ?? new Map<string, Uint8Array>()
    if (changed.size === 0) return
    const names = Array.from(changed.keys()).join(', ')
    if (onChange === 'restart') await this.#restart(changed, names)
    else {
      known?.use(changed)
      wipe(changed)
      note(`changed at the broker: ${names}; the enclave keeps what it was given`)
    }
  }

  async #restart(changed: Secrets, names: string): Promise<void> {
    const { graceMs, known, note, open } = this.#options
    note(`changed at the broker: ${names}; the enclave is started anew`)
    // The other's are overwritten with its end.
    const secrets = new Map(
      Array.from(this.#secrets, ([path, secret]) => [path, changed.get(path) ?? secret.slice()] as const),
    )
    const next = await open(secrets).catch((error: unknown) => {
      note(`it keeps what it was given until it can be started anew: ${String(error)}`)
    })
    // Not in use: with the next renewal they are others still.
    if (next === undefined) return wipe(secrets)
    known?.use(changed)
    const turn = new EnclaveTurn(next, secrets)
    if (this.#ended) return turn.end(LEASE_OVER, 0)
    const before = this.#turn
    this.#turn = turn
    this.#secrets = secrets
    await before.end('the enclave was started anew', graceMs)
  }
}
