// Ctrl-C and SIGTERM, as one signal that everything which must be closed in order can look at.

/** Told to stop, and since when somebody listens. */
export interface StopSignal {
  readonly signal: AbortSignal
  /** The process is nobody's again. */
  release(): void
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']

/** Aborts at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function listenForStop(signals = SIGNALS): StopSignal {
  const controller = new AbortController()
  const hear = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  for (const signal of signals) process.on(signal, hear)
  return {
    signal: controller.signal,
    release: () => {
      for (const signal of signals) process.off(signal, hear)
    },
  }
}

/** As `listenForStop`, and when the terminal is closed: for work on files, of which no half is to be left. */
export function listenForStopOrHangUp(): StopSignal {
  return listenForStop([...SIGNALS, 'SIGHUP'])
}

/** As {@link StopSignal}, for a server. */
export interface ServerSignals extends StopSignal {
  /** `hear` is told of each SIGHUP of a server without a terminal; also, at once, of one that came before. */
  onHangUp(hear: () => void): void
}

/**
 * For a server. The end of its terminal stops it in order, as Ctrl-C does. Without a terminal SIGHUP is a wish to reload,
 * which must not end it.
 */
export function listenForServerStop(hasTerminal: boolean): ServerSignals {
  if (hasTerminal) return { ...listenForStopOrHangUp(), onHangUp: () => undefined }
  const stop = listenForStop()
  let isWished = false
  let tell = (): void => {
    isWished = true
  }
  const hear = (): void => tell()
  process.on('SIGHUP', hear)
  return {
    signal: stop.signal,
    onHangUp: told => {
      tell = told
      if (isWished) told()
    },
    // A wish that comes while the process ends must not count as its death by a signal.
    release: () => {
      stop.release()
      tell = () => undefined
    },
  }
}

/** What a server says that reads nothing again. */
export const NOTHING_TO_RELOAD = 'SIGHUP changes nothing: settings are read at the start'

/** Resolves once it has aborted. */
export function stoppedBy(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
