// How Node is started for a broker. A module of its own, so that whoever starts one loads nothing else.

/**
 * Only at a start do these have their effect. New objects in four times as much memory were not collected any cheaper;
 * and bodies, which come and go, are no reason to collect all garbage, which took longer than to read them.
 */
export const BROKER_NODE_FLAGS = [
  '--max-semi-space-size=8',
  '--external-memory-accounted-in-global-limit',
] as const

/**
 * Of glibc: buffers are made and freed by several threads, each with an arena of its own otherwise, of which little is
 * given back. Under a flood that was a fifth of the memory.
 */
export const BROKER_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const
