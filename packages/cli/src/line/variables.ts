// CASEMATE_* in the environment, for every command: a misspelt name is refused, as it is by the broker, because the
// command would otherwise do something else than what was meant, and say nothing.

/** Those that clients have in their environment every day; to know the others, the broker's table has to be loaded. */
const EVERYDAY: ReadonlySet<string> = new Set([
  'CASEMATE_CA_FILE',
  'CASEMATE_CONFIG',
  'CASEMATE_DATA_DIR',
  'CASEMATE_GUEST_API',
  'CASEMATE_REQUIRE_CODE',
  'CASEMATE_SERVER',
  'CASEMATE_TOKEN',
])

/** @throws {StartError} `config-unknown` */
export async function checkVariables(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const unusual = Object.keys(env).some(name => name.startsWith('CASEMATE_') && !EVERYDAY.has(name))
  if (!unusual) return
  const { refuseUnknownVariables } = await import('@casemate/broker')
  refuseUnknownVariables(env)
}
