// How Node is started for a process that serves calls to an enclave. A module of its own, so that whoever starts one
// loads nothing else.

/**
 * Inputs and answers are large buffers that come and go: they are no reason to collect all garbage, which took longer
 * than the calls. Only at a start do these have their effect.
 */
export const SERVER_NODE_FLAGS = [
  '--external-memory-accounted-in-global-limit',
  '--initial-old-space-size=256',
] as const
