// The table of commands: parsing, help and suggestions are made from it.

import type { Command } from './command.ts'
import { ATTEST_COMMAND } from './commands/attest.ts'
import { ATTESTATION_COMMANDS } from './commands/attestation.ts'
import { CONFIG_COMMAND } from './commands/config.ts'
import { DEMO_COMMAND } from './commands/demo.ts'
import { KEY_COMMANDS } from './commands/key.ts'
import { LOG_COMMANDS } from './commands/log.ts'
import { POLICY_COMMANDS } from './commands/policy.ts'
import { REFERENCE_COMMANDS } from './commands/reference.ts'
import { RULE_COMMANDS } from './commands/rule.ts'
import { SECRET_COMMANDS } from './commands/secret.ts'
import { TOKEN_COMMANDS } from './commands/token.ts'
import { UP_COMMAND } from './commands/up.ts'
import { VERIFY_COMMAND } from './commands/verify.ts'

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  DEMO_COMMAND,
  UP_COMMAND,
  VERIFY_COMMAND,
  ATTEST_COMMAND,
  ...ATTESTATION_COMMANDS,
  ...SECRET_COMMANDS,
  ...POLICY_COMMANDS,
  ...REFERENCE_COMMANDS,
  ...RULE_COMMANDS,
  ...LOG_COMMANDS,
  ...TOKEN_COMMANDS,
  ...KEY_COMMANDS,
  CONFIG_COMMAND,
]
