// How Node is started for a broker. A module of its own, so that whoever starts one loads nothing else.

/**
 * Only at a start do these have their effect. New objects in four times as much memory were not collected any cheaper.
 * With buffers as no reason to collect garbage, large bodies cost half, and some floods took 460 MB.
 */
export const BROKER_NODE_FLAGS = ['--max-semi-space-size=8'] as const

/**
 * Of glibc: buffers are made and freed by several threads, each with an arena of its own otherwise, of which little is
 * given back. Under a flood that was a fifth of the memory.
 */
export const BROKER_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const
