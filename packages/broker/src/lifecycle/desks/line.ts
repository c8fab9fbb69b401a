// Calls between two threads, both ways over one port: each side has methods that the other may call, answered or not.
// Arguments and answers are copied; what an error says crosses too (carried-error.ts).

import type { MessagePort, Transferable, Worker } from 'node:worker_threads'
import { type CarriedError, carry, restore } from './carried-error.ts'

/** What one side offers the other. */
export type Methods<M> = { readonly [K in keyof M]: (...args: never[]) => unknown }

type Port = Pick<MessagePort | Worker, 'on' | 'postMessage'>

type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly id: number | null }
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
    port.on('message', (message: Message) => {
      if ('call' in message) void this.#answer(message, methods)
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
      this.#send({ call: name, args, id })
    } catch (error) {
      // What cannot be copied.
      this.#waiting.delete(id)
      waiting.reject(error)
    }
    return waiting.promise as Promise<Awaited<ReturnType<Theirs[K]>>>
  }

  /** Nobody waits for what comes of it; `transfer` is given away. @throws what {@link fail} was told, from then on */
  tell<K extends keyof Theirs & string>(name: K, args: Parameters<Theirs[K]>, transfer: object[] = []): void {
    if (this.#failure !== null) throw this.#failure
    this.#send({ call: name, args, id: null }, transfer)
  }

  /** Nothing will be answered any more. */
  fail(failure: Error): void {
    this.#failure ??= failure
    for (const { reject } of this.#waiting.values()) reject(failure)
    this.#waiting.clear()
  }

  #send(message: Message, transfer: object[] = []): void {
    this.#port.postMessage(message, transfer as Transferable[])
  }

  async #answer(
    { call, args, id }: Extract<Message, { call: string }>,
    methods: ReadonlyMap<string, (...args: unknown[]) => unknown>,
  ): Promise<void> {
    try {
      const value = await methods.get(call)?.(...args)
      if (id !== null) this.#send({ id, value })
    } catch (error) {
      // What nobody waits for may not fail: this ends the thread, and with it the broker.
      if (id === null) throw error
      this.#send({ id, error: carry(error) })
    }
  }

  #settle(message: Exclude<Message, { call: string }>): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if ('error' in message) waiting?.reject(restore(message.error))
    else waiting?.resolve(message.value)
  }
}
