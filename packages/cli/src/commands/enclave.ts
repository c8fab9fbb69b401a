// casemate enclave: from the source of an enclave to one that runs.

import type { Command } from '../command.ts'
import { BUILD_COMMAND } from './enclave-build.ts'
import { CALL_COMMAND } from './enclave-call.ts'
import { INSPECT_COMMAND } from './enclave-inspect.ts'
import { KEY_COMMAND, NEW_COMMAND } from './enclave-new.ts'
import { RUN_COMMAND } from './enclave-run.ts'
import { ATTACH_COMMAND, DIGEST_COMMAND, SIGN_COMMAND } from './enclave-sign.ts'

export const ENCLAVE_COMMANDS: readonly Command[] = [
  NEW_COMMAND,
  BUILD_COMMAND,
  KEY_COMMAND,
  SIGN_COMMAND,
  DIGEST_COMMAND,
  ATTACH_COMMAND,
  INSPECT_COMMAND,
  RUN_COMMAND,
  CALL_COMMAND,
]
