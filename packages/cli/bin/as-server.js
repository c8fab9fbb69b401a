// A command that will serve starts anew, as the same process, with the flags and variables for that: what they change is
// fixed once Node runs.

/** Does not return where it starts anew. */
export async function becomeServer() {
  // A parent that speaks to this process would lose it.
  if (process.execve === undefined || process.connected) return
  const [group, command, ...rest] = process.argv.slice(2)
  if (group === 'up') return startWith(await forBroker())
  const listens = rest.some(one => one === '--listen' || one.startsWith('--listen='))
  if (group === 'enclave' && command === 'run' && listens) await startWith(await forEnclave())
}

async function forBroker() {
  const { BROKER_NODE_FLAGS, BROKER_ENVIRONMENT } = await import('@casemate/broker/node-settings')
  return { flags: BROKER_NODE_FLAGS, environment: BROKER_ENVIRONMENT }
}

async function forEnclave() {
  const { SERVER_NODE_FLAGS } = await import('@casemate/enclave/server-flags')
  return { flags: SERVER_NODE_FLAGS, environment: {} }
}

async function startWith({ flags, environment }) {
  const { NODE_OPTIONS = '' } = process.env
  const { flagsForStart, programAgain } = await import('@casemate/enclave/own-code')
  const missing = flagsForStart(
    flags.filter(flag => !process.execArgv.includes(flag) && !NODE_OPTIONS.includes(nameOf(flag))),
  )
  if (missing.length === 0 && Object.keys(environment).every(name => name in process.env)) return
  // Those that were typed come later, and win; so do variables that are set.
  const { line, env } = programAgain([...missing, ...process.execArgv], process.argv, process.env)
  process.execve(process.execPath, line, { ...environment, ...process.env, ...env })
}

function nameOf(flag) {
  return flag.replace(/=.*/, '')
}
