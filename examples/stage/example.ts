// Each example's `run.ts` exports this.

export interface ExampleContext {
  /** The arguments after the example’s name. */
  readonly args: readonly string[]
  readonly print: (line?: string) => void
  /** Aborts at Ctrl-C: what is open is closed, and `run` rejects or returns. */
  readonly signal: AbortSignal
}

export interface ExampleModule {
  /** One line, for the list of examples. */
  readonly SUMMARY: string
  /** The options that may stand after its name. */
  readonly USAGE: string
  readonly run: (context: ExampleContext) => Promise<void>
}
