// The workload's environment: ours without what is Casemate's own, such as an administrator's token, and with its secrets.

import { AgentError } from '../errors.ts'

/** Linux's limit for one argument or variable (MAX_ARG_STRLEN), of which the name and `=` are a part. */
const MAX_VARIABLE_BYTES = 128 * 1024

/** What is passed on of an environment. */
export function inheritedBy(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !name.startsWith('CASEMATE_')) passed[name] = value
  }
  return passed
}

/** A secret as the value of a variable. @throws {AgentError} secret-not-text */
export function textFor(name: string, secret: Uint8Array): string {
  const hint = `--secret-file gives it as it is, in a file in memory`
  if (secret.length + name.length + 2 > MAX_VARIABLE_BYTES) {
    throw new AgentError('secret-not-text', `the secret for ${name} is too large for a variable`, { hint })
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(secret)
  } catch (cause) {
    throw new AgentError('secret-not-text', `the secret for ${name} is not text in UTF-8`, { hint, cause })
  }
  if (text.includes('\0')) {
    throw new AgentError('secret-not-text', `the secret for ${name} has a zero octet`, { hint })
  }
  return text
}
