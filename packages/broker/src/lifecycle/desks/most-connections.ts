// How many connections may be handed to a process that serves. One that may open no more files loses a connection that it is
// handed: it stays counted for good, and where Node sends it once more, its answer may end the process that sent it.

/** Open in a process beside connections of clients, and as many again for services that it asks. */
const OTHER_FILES = 96

/** By the limit of this process, which those that it starts have too. To be asked before anybody is connected, whom Node would look up. */
export function mostConnections(): number {
  const { userLimits } = process.report.getReport() as unknown as Limits
  const { soft } = userLimits.open_files
  return typeof soft === 'number' ? Math.max(1, soft - OTHER_FILES) : Number.POSITIVE_INFINITY
}

interface Limits {
  readonly userLimits: { readonly open_files: { readonly soft: number | string } }
}
