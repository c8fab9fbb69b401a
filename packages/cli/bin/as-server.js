// A command that will serve calls to an enclave starts anew, as the same process, with the flags for that: what they
// change is fixed once Node runs.

/** Does not return where it starts anew. */
export async function becomeServer() {
  const [group, command, ...rest] = process.argv.slice(2)
  const listens = rest.some(one => one === '--listen' || one.startsWith('--listen='))
  if (group !== 'enclave' || command !== 'run' || !listens) return
  // A parent that speaks to this process would lose it.
  if (process.execve === undefined || process.connected) return
  const { SERVER_NODE_FLAGS } = await import('@casemate/enclave/server-flags')
  const missing = SERVER_NODE_FLAGS.filter(flag => !process.execArgv.includes(flag))
  if (missing.length === 0) return
  // Those that were typed come later, and win.
  const args = [process.execPath, ...missing, ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, args, process.env)
}
