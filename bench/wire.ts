// Bytes over a connection of their own, from any address of the loopback network: each stands for a machine.
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { CHALLENGE, post, type Session } from './hostile.ts'

/** Where the broker listens. */
export interface Target {
  readonly port: number
  readonly isTls: boolean
}

export function portOf(url: string): number {
  return Number(new URL(url).port)
}

/** The `n`th machine of a group; Linux has all of 127.0.0.0/8. */
export function machine(group: number, n: number): string {
  return `127.0.${group + (n >> 8)}.${n & 255}`
}

export function open({ port, isTls }: Target, localAddress: string): Socket {
  const to = { port, host: '127.0.0.1', localAddress }
  const socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to)
  return socket.on('error', () => undefined)
}

/** The answer, or as much of it as comes before the connection ends. */
export function exchange(target: Target, localAddress: string, bytes: Buffer): Promise<string> {
  return new Promise(resolve => {
    const socket = open(target, localAddress)
    let text = ''
    socket.on('data', data => {
      text += data.toString('latin1')
      if (isWhole(text)) socket.destroy()
    })
    socket.on('close', () => resolve(text))
    socket.write(bytes)
  })
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const [, length] = /content-length: (\d+)/i.exec(text) ?? []
  return end >= 0 && length !== undefined && text.length >= end + 4 + Number(length)
}

/** A challenge for one attestation; null if none was given. */
export async function begin(target: Target, localAddress: string): Promise<Session | null> {
  const text = await exchange(target, localAddress, post('/kbs/v0/auth', CHALLENGE))
  const [cookie] = /kbs-session-id=[^;]+/.exec(text) ?? []
  const [, nonce] = /"nonce":"([^"]+)"/.exec(text) ?? []
  return cookie === undefined || nonce === undefined ? null : { cookie, nonce }
}
