// The table of commands: parsing, help and suggestions are made from it. A group is loaded when it is asked for, so
// that a command does not wait for what the others need.

import type { Command } from './command.ts'

/** Every first word, in the order of the help, with its commands. */
const GROUPS: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  demo: async () => [(await import('./commands/demo.ts')).DEMO_COMMAND],
  up: async () => [(await import('./commands/up.ts')).UP_COMMAND],
  verify: async () => [(await import('./commands/verify.ts')).VERIFY_COMMAND],
  attest: async () => [(await import('./commands/attest.ts')).ATTEST_COMMAND],
  platform: async () => [(await import('./commands/platform.ts')).PLATFORM_COMMAND],
  attestation: async () => (await import('./commands/attestation.ts')).ATTESTATION_COMMANDS,
  enclave: async () => (await import('./commands/enclave.ts')).ENCLAVE_COMMANDS,
  seal: async () => [(await import('./commands/seal.ts')).SEAL_COMMAND],
  unseal: async () => [(await import('./commands/unseal.ts')).UNSEAL_COMMAND],
  reseal: async () => [(await import('./commands/reseal.ts')).RESEAL_COMMAND],
  run: async () => [(await import('./commands/run.ts')).RUN_COMMAND],
  agent: async () => [(await import('./commands/agent.ts')).AGENT_COMMAND],
  secret: async () => (await import('./commands/secret.ts')).SECRET_COMMANDS,
  policy: async () => (await import('./commands/policy.ts')).POLICY_COMMANDS,
  reference: async () => (await import('./commands/reference.ts')).REFERENCE_COMMANDS,
  rule: async () => (await import('./commands/rule.ts')).RULE_COMMANDS,
  bench: async () => [(await import('./commands/bench.ts')).BENCH_LAYERS_COMMAND],
  log: async () => (await import('./commands/log.ts')).LOG_COMMANDS,
  token: async () => (await import('./commands/token.ts')).TOKEN_COMMANDS,
  key: async () => (await import('./commands/key.ts')).KEY_COMMANDS,
  config: async () => [(await import('./commands/config.ts')).CONFIG_COMMAND],
}

/** The words that a command line can begin with. */
export const FIRST_WORDS: readonly string[] = Object.keys(GROUPS)

/** The commands that begin with a word; none where no command does. */
export async function commandsOf(first: string): Promise<readonly Command[]> {
  return Object.hasOwn(GROUPS, first) ? ((await GROUPS[first]?.()) ?? []) : []
}

/** All commands, for the overview. */
export async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(FIRST_WORDS.map(commandsOf))).flat()
}
