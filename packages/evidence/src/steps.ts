// Collects the steps of one verification, so that a refusal says how far it came.

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

/** `2025-06-19T10:00:35Z`: the precision of every window here. */
export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}
