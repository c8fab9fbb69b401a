// Collects the steps of one verification, so that a refusal says how far it came.

import { BoundedMap } from './bounded-map.ts'
import { Refusal } from './refusal.ts'
import type { Step } from './step.ts'

/** Runs `work` with an empty list of steps; a `Refusal` out of it carries the steps that had passed. */
export async function recordSteps<T>(work: (steps: Step[]) => Promise<T>): Promise<T> {
  const steps: Step[] = []
  try {
    return await work(steps)
  } catch (error) {
    if (error instanceof Refusal) error.steps = steps
    throw error
  }
}

/** The ends of windows are few and come again: formatting one costs more than all other text of a step. */
const formatted = new BoundedMap<number, string>(1024)

/** `2025-06-19T10:00:35Z`: the precision of every window here. */
export function formatTime(milliseconds: number): string {
  let text = formatted.get(milliseconds)
  if (text === undefined) {
    text = new Date(milliseconds).toISOString().replace('.000Z', 'Z')
    formatted.set(milliseconds, text)
  }
  return text
}

/** The detail of a refusal because of a window; both ends inclusive. */
export function describeWindow(
  begin: number,
  end: number,
  now: number,
): { readonly expected: string; readonly got: string } {
  return { expected: `between ${formatTime(begin)} and ${formatTime(end)}`, got: formatTime(now) }
}
