// Command lines of one test file, run in this process in its directory: to whatever end, to a good one, or to a refusal.
import assert from 'node:assert/strict'
import { casemate, type Ran } from './run.ts'

/** A line as it is typed, blanks parting the words; or its words, if some have blanks. */
type Typed = string | readonly string[]

export interface Typing {
  readonly ran: (line: Typed, input?: string | Uint8Array) => Promise<Ran>
  /** One that has to succeed. */
  readonly done: (line: Typed, input?: string | Uint8Array) => Promise<Ran>
  /** One that has to end with this code and nothing on stdout. Resolves with what is on stderr. */
  readonly refused: (line: string, code: string, exitCode: number) => Promise<string>
}

/** Types in a directory. `env` is asked for with each line: a broker may have been started since the last. */
export function typingIn(
  cwd: string,
  {
    first = [],
    env = () => ({}),
  }: { readonly first?: readonly string[]; readonly env?: () => Readonly<Record<string, string>> } = {},
): Typing {
  const ran: Typing['ran'] = (line, input) => {
    const given = input === undefined ? {} : { input }
    const words = typeof line === 'string' ? line.split(' ') : line
    return casemate([...first, ...words], { cwd, env: env(), ...given })
  }
  return {
    ran,
    done: async (line, input) => {
      const end = await ran(line, input)
      assert.equal(end.code, 0, `${[line].flat().join(' ')}: ${end.stderr}${end.stdout}`)
      return end
    },
    refused: async (line, code, exitCode) => {
      const end = await ran(line)
      assert.ok(end.stderr.includes(`casemate: ${code}: `), `${line}: ${end.stderr}${end.stdout}`)
      assert.deepEqual([end.code, end.stdout], [exitCode, ''], line)
      return end.stderr
    },
  }
}
