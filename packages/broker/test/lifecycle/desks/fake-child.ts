// A process that does what the test says.
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

export class FakeChild extends EventEmitter {
  readonly asked: string[] = []
  readonly connections: Socket[] = []
  isEnded = false
  answers = true
  /** What it refuses. */
  refuses: string | null = null

  send({ call, id }: { readonly call: string; readonly id: number | null }, connection?: Socket): boolean {
    this.asked.push(call)
    if (connection !== undefined) this.connections.push(connection)
    if (!this.answers || id === null) return true
    const error = { kind: 'start', code: 'tls-invalid', message: 'it cannot', hint: undefined }
    this.emit('message', call === this.refuses ? { id, error } : { id, value: call })
    return true
  }

  kill(): boolean {
    if (this.isEnded) return false
    this.isEnded = true
    this.emit('exit', null, 'SIGKILL')
    return true
  }
}
