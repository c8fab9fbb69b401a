#!/usr/bin/env node
// The entry of the command. Plain JavaScript that imports nothing before it can say what is wrong: an old Node, or an
// installation of which something is missing, gets one clear line and not a stack trace.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(`casemate: node-too-old: Node 24 or newer is needed, this is ${process.versions.node}`)
  console.error('hint: inside the repository, npm start and npx --no casemate bring their own Node')
  process.exit(2)
}
try {
  const { becomeServer } = await import('./as-server.js')
  await becomeServer()
  const { keepCompiledCode } = await import('./code-cache.js')
  keepCompiledCode()
  const { main } = await import('../src/main.ts')
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = tell(failureOf(error))
}

/** What fails here has not been loaded; the command itself says what fails in it (machine-failure.ts). */
function failureOf(error) {
  const missing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED']
  const [message, ...lines] = String(error?.stack ?? error).split('\n')
  // A file that was cut off, or of another version than those that need it.
  if (missing.includes(error?.code) || error instanceof SyntaxError) {
    const hint =
      'files are missing, or of another version than the rest: npm ci in the checkout brings them; elsewhere, install the command anew'
    return { code: 'installation-incomplete', message: firstLine(error.message), hint, exitCode: 3 }
  }
  const hint = 'this is a fault in casemate; please report it with the command that you typed'
  const trace = lines.filter(line => /^\s+at /.test(line)).map(line => line.trim())
  return { code: 'internal-error', message, trace, hint, exitCode: 70 }
}

function firstLine(text) {
  return text.split('\n', 1)[0]
}

/** As the command says it, in JSON too. */
function tell({ exitCode, ...error }) {
  const flags = process.argv.slice(2)
  const end = flags.indexOf('--')
  if (flags.slice(0, end === -1 ? flags.length : end).includes('--json')) {
    console.log(JSON.stringify({ error: { ...error, exitCode } }, null, 2))
    return exitCode
  }
  const { code, message, trace = [], hint } = error
  for (const line of [`casemate: ${code}: ${message}`, ...trace.map(at => `  ${at}`), `hint: ${hint}`])
    console.error(line.replaceAll(/\p{Cc}/gu, '?'))
  return exitCode
}
