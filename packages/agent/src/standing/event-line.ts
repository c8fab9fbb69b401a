// The events of a lease as lines for a person: each trouble once, and its end.

import type { AgentEvent } from './agent.ts'

/** Tells what is new: a trouble once, however often it is met, and its end. */
export function tellerOn(note: (line: string) => void): (event: AgentEvent) => void {
  let trouble: string | null = null
  return event => {
    const before = trouble
    trouble = event.kind === 'renewed' ? null : event.kind
    const known = before === trouble || (before === 'lease-ended' && trouble === 'unanswered')
    if (known) trouble = before
    else note(lineOf(event))
  }
}

function lineOf(event: AgentEvent): string {
  switch (event.kind) {
    case 'renewed':
      return `the lease is renewed, for ${spanOf(event.leaseMs)}`
    case 'unanswered':
      return `${codeOf(event.error)}: ${event.error.message}; asking again, the lease ends in ${spanOf(event.leaseMs)}`
    case 'denied':
      return `${event.error.code}: ${event.error.message}; the lease is withdrawn`
    case 'lease-ended':
      return 'lease-ended: the lease has ended and was not renewed'
    default:
      return event satisfies never
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'internal-error'
}

/** `4 min 10 s`. */
export function spanOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`
}
