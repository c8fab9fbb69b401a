// Calls between two processes, both ways over one port: each side has methods that the other may call, answered or not.
// Arguments and answers are copied; what an error says crosses too (carried-error.ts).

import type { Socket } from 'node:net'
import { type CarriedError, carry, restore } from './carried-error.ts'

/** What one side offers the other. */
export type Methods<M> = { readonly [K in keyof M]: (...args: never[]) => unknown }

/** The way to the other side. A connection that is sent along is given away. */
export interface Port {
  listen(listener: (message: unknown, connection: Socket | undefined) => void): void
  /**
   * @param onSent called when it waits here no longer, whether or not it arrives
   * @throws where the message cannot be copied
   */
  send(message: unknown, connection?: Socket, onSent?: () => void): void
}

type Message =
  | {
      readonly call: string
      readonly args: readonly unknown[]
      readonly id: number | null
      readonly hasConnection?: boolean
    }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: CarriedError }

/** The end of the other side: what may be called there. */
export class Line<Theirs extends Methods<Theirs>> {
  readonly #port: Port
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #calls = 0
  #failure: Error | null = null

  constructor(port: Port, own: Methods<object>) {
    this.#port = port
    const methods = new Map(Object.entries(own) as [string, (...args: unknown[]) => unknown][])
    port.listen((received, connection) => {
      const message = received as Message
      if ('call' in message) void this.#answer(message, connection, methods)
      else this.#settle(message)
    })
  }

  call<K extends keyof Theirs & string>(
    name: K,
    ...args: Parameters<Theirs[K]>
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const id = ++this.#calls
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    try {
      this.#port.send({ call: name, args, id })
    } catch (error) {
      // What cannot be copied.
      this.#waiting.delete(id)
      waiting.reject(error)
    }
    return waiting.promise as Promise<Awaited<ReturnType<Theirs[K]>>>
  }

  /** Nobody waits for what comes of it. @throws what {@link fail} was told, from then on */
  tell<K extends keyof Theirs & string>(name: K, args: Parameters<Theirs[K]>, onSent?: () => void): void {
    if (this.#failure !== null) throw this.#failure
    this.#port.send({ call: name, args, id: null }, undefined, onSent)
  }

  /** Gives a connection away: the first argument of the other's method, `undefined` where it was closed on the way. @throws as {@link tell} */
  hand<K extends keyof Theirs & string>(
    name: K,
    connection: Socket,
    args: Parameters<Theirs[K]> extends [Socket | undefined, ...infer Rest] ? Rest : never,
  ): void {
    if (this.#failure !== null) throw this.#failure
    this.#port.send({ call: name, args, id: null, hasConnection: true }, connection)
  }

  /** Nothing will be answered any more. */
  fail(failure: Error): void {
    this.#failure ??= failure
    for (const { reject } of this.#waiting.values()) reject(failure)
    this.#waiting.clear()
  }

  async #answer(
    { call, args, id, hasConnection = false }: Extract<Message, { call: string }>,
    connection: Socket | undefined,
    methods: ReadonlyMap<string, (...args: unknown[]) => unknown>,
  ): Promise<void> {
    try {
      const value = await methods.get(call)?.(...(hasConnection ? [connection, ...args] : args))
      if (id !== null) this.#port.send({ id, value })
    } catch (error) {
      // What nobody waits for may not fail: this ends the process, and with it the broker.
      if (id === null) throw error
      this.#port.send({ id, error: carry(error) })
    }
  }

  #settle(message: Exclude<Message, { call: string }>): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if ('error' in message) waiting?.reject(restore(message.error))
    else waiting?.resolve(message.value)
  }
}
