// The enclave that can be told to trap, hang or take all memory, built once for all tests of it.
import { join } from 'node:path'
import { builtOnce } from '../../../packages/enclave/test/building/built-once.ts'
import { buildOptions, DEFAULT_RULES, type Rules } from '../configuration.ts'

const ENTRY = join(import.meta.dirname, '../assembly', 'provoked.ts')
/** Its memory is for what these have it remember. */
const BUILT_RULES: Rules = { ...DEFAULT_RULES, remembered: 65_536 }

/** Not signed. */
export const builtImage = await builtOnce(buildOptions(BUILT_RULES, ENTRY))
